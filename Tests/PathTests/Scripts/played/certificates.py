"""A certificate for loopback, of an authority of its own."""

import ssl
import subprocess

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def context(folder):
    """What a server on 127.0.0.1 needs; the authority's certificate is `authority.pem` in the folder."""
    with open(f"{folder}/extensions", "w") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    authority = ["-keyout", "authority.key", "-out", "authority.pem", "-subj", "/CN=played authority"]
    openssl(folder, "req", "-x509", *NEW_KEY, *authority)
    openssl(folder, "req", *NEW_KEY, "-keyout", "own.key", "-out", "own.request", "-subj", "/CN=127.0.0.1")
    signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-extfile", "extensions"]
    openssl(folder, "x509", "-req", "-in", "own.request", *signed, "-days", "1", "-out", "own.pem")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{folder}/own.pem", f"{folder}/own.key")
    return made
