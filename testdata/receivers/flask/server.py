"""A receiver in Python with Flask: the raw body, the HMAC over
"timestamp.body", and a comparison in constant time.

usage: WEBHOOK_SECRET=... python3 server.py; the first line is the port.
"""

import hashlib
import hmac
import logging
import os
import time

from flask import Flask, jsonify, request
from werkzeug.serving import make_server

secret = os.environ["WEBHOOK_SECRET"].encode()
app = Flask(__name__)


@app.post("/")
def receive():
    stamp = request.headers.get("X-Webhook-Timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return jsonify(error="timestamp"), 400
    want = hmac.new(secret, stamp.encode() + b"." + request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(want, request.headers.get("X-Webhook-Signature", "")):
        return jsonify(error="signature"), 401
    request.get_json()
    return jsonify(received=True, event=request.headers["X-Webhook-Event"], retry=request.headers["X-Webhook-Retry"])


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(server.port, flush=True)
    server.serve_forever()
