"""An RSA key of 1024 bits, which no library of the tests would make. Prints its JWK, then the signature (RS256) over each line
that it reads.
"""

import json
import sys
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


key = rsa.generate_private_key(65537, 1024)
numbers = key.public_key().public_numbers()
modulus, exponent = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.n, numbers.e))
print(json.dumps({"kty": "RSA", "n": encoded(modulus), "e": encoded(exponent)}), flush=True)
for line in sys.stdin:
    print(encoded(key.sign(line.strip().encode(), padding.PKCS1v15(), hashes.SHA256())), flush=True)
