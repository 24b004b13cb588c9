"""Makes key and certificate, in one file each, for every name that is given.

    client_certificates.py FOLDER server alice mallory

Writes FOLDER/alice.pem and so on, each signed by itself.
"""

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tls import PEM, certificate

folder, names = Path(sys.argv[1]), sys.argv[2:]
for name in names:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    no_authority = x509.BasicConstraints(ca=False, path_length=None)
    (folder / f"{name}.pem").write_bytes(pem + certificate(name, key, name, key, no_authority))
