"""What pyotp makes of a URI: the code at a time. Both come on standard input, the code goes to standard output."""

import json
import sys

import pyotp

question = json.load(sys.stdin)
app = pyotp.parse_uri(question["uri"])
print(json.dumps({"code": app.at(question["time"]), "name": app.name, "issuer": app.issuer}))
