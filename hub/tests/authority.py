"""Certificates for the tests of X.509, made by the openssl command: what the hub is compared with."""
import hashlib
import os
import ssl
import subprocess
import tempfile

CONFIGURATION = """
[ca]
default_ca = it
[it]
dir = .
new_certs_dir = .
database = index
serial = serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
[bare]
basicConstraints = CA:FALSE
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[ca_of_one_level]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
[req]
distinguished_name = name
[name]
"""


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}:\n{done.stderr}"


class Certificate:
    """Key and certificate in PEM, with those above it."""

    def __init__(self, folder, name, above=()):
        self.key = os.path.join(folder, name + ".key")
        self.own = os.path.join(folder, name + ".pem")
        with open(self.own) as pem:
            text = pem.read()
        self.pem = text[text.index("-----BEGIN"):]
        self.der = ssl.PEM_cert_to_DER_cert(self.pem)
        self.above = above
        self.chain = os.path.join(folder, name + ".chain")
        with open(self.chain, "w") as chain:
            chain.write(self.pem + "".join(other.pem for other in above))

    def sha256(self):
        return hashlib.sha256(self.der).hexdigest()

    def sha1(self):
        return hashlib.sha1(self.der).hexdigest()

    def put_der(self):
        path = self.own + ".der"
        with open(path, "wb") as file:
            file.write(self.der)
        return path


class Authority:
    """A CA of its own folder; root, or below another one."""

    KEYS = {"rsa": ("-newkey", "rsa:2048"), "rsa-1024": ("-newkey", "rsa:1024"),
            "p256": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            "p384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")}

    def __init__(self, name, above=None, days=2):
        self._folder = tempfile.TemporaryDirectory(prefix="picket-ca-test-")
        self.folder = self._folder.name
        self.files = 0
        self.is_root = above is None
        with open(os.path.join(self.folder, "configuration"), "w") as file:
            file.write(CONFIGURATION)
        open(os.path.join(self.folder, "index"), "w").close()
        with open(os.path.join(self.folder, "serial"), "w") as file:
            file.write("1000\n")
        if above is None:
            openssl(self.folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                    "ca.pem", "-days", str(days), "-subj", f"/CN={name}")
            self.certificate = Certificate(self.folder, "ca")
        else:
            self.certificate = above.issue(name, extensions="ca_of_one_level", into=(self.folder, "ca"))

    def issue(self, common_name, key="rsa", extensions="client", start=None, end=None, digest="sha256", into=None,
              subject=None):
        """Times as YYYYMMDDHHMMSSZ."""
        self.files += 1
        folder, name = into or (self.folder, f"issued-{self.files}")
        path = os.path.join(folder, name)
        openssl(self.folder, "req", *self.KEYS[key], "-nodes", "-keyout", path + ".key", "-out", path + ".csr", "-subj",
                subject or f"/CN={common_name}")
        openssl(self.folder, "ca", "-batch", "-config", "configuration", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-in", path + ".csr", "-out", path + ".pem", "-md", digest, "-extensions", extensions, "-notext",
                *(("-startdate", start) if start else ()), *(("-enddate", end) if end else ("-days", "2")))
        # A root is not sent along: the hub has it.
        above = () if self.is_root else (self.certificate, *self.certificate.above)
        return Certificate(folder, name, above)


def self_signed(folder, common_name="device", key="rsa", days=2):
    name = f"own-{len(os.listdir(folder))}"
    openssl(folder, "req", "-x509", *Authority.KEYS[key], "-nodes", "-keyout", name + ".key", "-out", name + ".pem",
            "-days", str(days), "-subj", f"/CN={common_name}")
    return Certificate(folder, name)
