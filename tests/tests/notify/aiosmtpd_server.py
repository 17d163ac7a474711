"""A mail server that is not ours, for the tests: aiosmtpd, which takes mails over STARTTLS after signing in alone.

Usage: aiosmtpd_server.py PORT CERTIFICATE KEY FOLDER USER PASSWORD. Of each mail a file N.json of FOLDER says what
Python's own reader of mails makes of it.
"""

import email
import email.policy
import json
import ssl
import sys
from pathlib import Path
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

port, certificate, key, folder, user, password = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


class Kept:
    def __init__(self):
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        said = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl["cipher"][1],
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            "key": mail["X-Linewatch-Key"],
            "subject": mail["Subject"],
            "plain": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        }
        part = Path(folder, f"{self.count}.part")
        part.write_text(json.dumps(said))
        part.rename(Path(folder, f"{self.count}.json"))
        return "250 2.0.0 kept"


def sign_in(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=known, handled=False)


class StartTls(Controller):
    def factory(self):
        return SMTP(
            self.handler,
            tls_context=context,
            require_starttls=True,
            authenticator=sign_in,
            auth_required=True,
            auth_require_tls=True,
            enable_SMTPUTF8=True,
        )


StartTls(Kept(), hostname="127.0.0.1", port=int(port)).start()
Event().wait()
