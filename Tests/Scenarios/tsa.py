#!/usr/bin/env python3
"""A timestamp authority for tests: `openssl ts` behind HTTP.

tsa.py make DIR [--days N] [--usage EXTENSION]   a key (P-256), a certificate and a configuration in DIR
tsa.py serve DIR PORT                            answers POST with what `openssl ts -reply` says

What DIR/lie holds when a request comes is what the authority does instead of answering well:
  silent         it waits for a minute
  error          status 500
  other-imprint  it dates something else
  other-nonce    it answers another request
  truncated      the answer's second half is missing
  huge           a megabyte
"""
import http.server
import pathlib
import subprocess
import sys
import time

CONFIGURATION = """
[tsa]
default_tsa = this
[this]
serial = {folder}/serial
signer_cert = {folder}/cert.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options).stdout


def make(folder, days="365", usage="critical,timeStamping"):
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days,
            "-subj", f"/CN=tsa {folder.name}", "-addext", f"extendedKeyUsage={usage}", "-addext",
            "basicConstraints=critical,CA:FALSE", "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "serial").write_text("01\n")


def reply(folder, request):
    """A TimeStampResp to this request."""
    (folder / "request").write_bytes(request)
    openssl("ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", folder / "request", "-out",
            folder / "reply")
    return (folder / "reply").read_bytes()


class Responder(http.server.BaseHTTPRequestHandler):
    folder = None

    def do_POST(self):
        request = self.rfile.read(int(self.headers.get("content-length", 0)))
        lie = self.folder / "lie"
        lie = lie.read_text().strip() if lie.exists() else ""
        status, body = 200, b""
        if lie == "silent":
            time.sleep(60)
        elif lie == "error":
            status = 500
        elif lie == "huge":
            body = bytes(1 << 20)
        else:
            if lie == "other-imprint":
                # An imprint is 32 bytes behind its head.
                at = request.index(b"\x04\x20") + 2
                request = request[:at] + bytes(32) + request[at + 32:]
            elif lie == "other-nonce":
                # The nonce stands last where no certificates are asked for.
                request = request[:-1] + bytes([request[-1] ^ 1])
            body = reply(self.folder, request)
            if lie == "truncated":
                body = body[:len(body) // 2]
        self.send_response(status)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def main(command, folder, *rest):
    if command == "make":
        options = dict(zip((name.lstrip("-") for name in rest[::2]), rest[1::2]))
        return make(folder, **options)
    Responder.folder = pathlib.Path(folder).resolve()
    http.server.ThreadingHTTPServer(("127.0.0.1", int(rest[0])), Responder).serve_forever()


main(*sys.argv[1:])
