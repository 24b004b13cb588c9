"""Makes key and certificate, in one file each, for every name that is given.

    client_certificates.py FOLDER server alice 'mallory=urn:mallory'

Writes FOLDER/alice.pem and so on, each signed by itself. What stands behind `=` is among the certificate's alternative
names, as URI and as DNS name: whoever signs a certificate writes there what he likes.
"""

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tls import PEM, certificate

folder, names = Path(sys.argv[1]), sys.argv[2:]
for name, _, alternative in (name.partition("=") for name in names):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    extension: x509.ExtensionType = x509.BasicConstraints(ca=False, path_length=None)
    if alternative:
        extension = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(alternative), x509.DNSName(alternative)])
    (folder / f"{name}.pem").write_bytes(pem + certificate(name, key, name, key, extension))
