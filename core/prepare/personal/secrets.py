"""Keys, tokens and passwords: where they stand in a text, by the forms that detect-secrets knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.{0,20000}?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|(?:\s+[A-Za-z0-9+/=]{12,})*)",
    re.DOTALL,
)
"""A block to its end, or where that was cut off as far as base64 goes."""

_MORE = (
    ("hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{34}"),
    *((hint, rf"(?<![A-Za-z0-9_-]){hint}[A-Za-z0-9_-]{{40,}}") for hint in ("sk-proj-", "sk-svcacct-", "sk-admin-")),
    ("sk-ant-", r"sk-ant-[A-Za-z0-9_-]{40,}"),
    ("github_pat_", r"github_pat_[A-Za-z0-9_]{40,}"),
    ("AIza", r"AIza[A-Za-z0-9_-]{35}"),
)
"""Tokens that detect-secrets 1.5 does not know: of Hugging Face, Anthropic, GitHub (fine-grained), Google, and those of
OpenAI whose halves hold `_` or `-`."""

_VALUE = r"[\"'`]?[ \t]*(?::=|=>|={1,3}|:)[ \t]*[\"'`]?(?P<value>[^\s\"'`<>{}()\[\],;]++)(?![(\[{])"
_PASSWORD = re.compile(r"(?:[Pp]ass[Ww]or[dt]|PASSWOR[DT]|[Pp]asswd|PASSWD|[Pp]wd|PWD)" + _VALUE)
_NAMED_KEY = re.compile(
    r"(?:(?:api|access|auth|account|client|private|secret|service|encryption|signing)[ _-]?(?:key|token)|secret|token)"
    + _VALUE,
    re.IGNORECASE,
)
PASSWORD_SIGNS = ("assw", "assW", "ASSW", "pwd", "Pwd", "PWD")
"""One of them is in each word for a password."""
_SHORTEST_PASSWORD = 6
_NO_PASSWORD = re.compile(
    r".*://.*|\$.*|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|\d+[-–](?:\d+-)?[a-z]+"
    r"|(?i:sha|md|aes|rsa|des|base|utf|argon|pbkdf|bcrypt|scrypt|oauth|http)[-_]?\d[\w-]*"
)
"""Values that say where a password is (an address, a variable) or what it is like (`12-character`, `SHA-256`)."""

_ALSO = {
    # How a JSON Web Token begins: the plugin's own form takes time that grows with the square of a long word's length.
    "eyJ": re.compile(r"(?<![A-Za-z0-9_=-])eyJ[A-Za-z0-9_=-]++\.eyJ"),
    "://": re.compile("@"),
    "": re.compile(r"[A-Za-z0-9_.:-]{34}"),
}
"""What must also be in a text for a form to be looked for: quicker than the form."""

_SHORTEST = 20
_SHORT = ("aws", "AWS", "xox", "XOX", "://")
"""Hints that may stand in words of fewer than 20 characters."""

_TAIL = re.compile(r"[A-Za-z0-9_-]*")


@cache
def _forms() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    """What a text must contain for a form to be in it, and the form. Importing the plugins takes half a second."""
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.basic_auth import BasicAuthDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    known: dict[type[RegexBasedDetector], tuple[str, ...]] = {
        AWSKeyDetector: ("AKIA", "ASIA", "ABIA", "ACCA", "A3T", "aws", "AWS"),
        AzureStorageKeyDetector: ("AccountKey=",),
        BasicAuthDetector: ("://",),
        GitHubTokenDetector: ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        GitLabTokenDetector: (
            *("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "GR1348941"),
            *("glcbt-", "glimt-", "glptt-", "glagent-", "gloas-"),
        ),
        JwtTokenDetector: ("eyJ",),
        MailchimpDetector: ("-us",),
        NpmDetector: ("_authToken",),
        OpenAIDetector: ("T3BlbkFJ",),
        PypiTokenDetector: ("pypi-",),
        SendGridDetector: ("SG.",),
        SlackDetector: ("xox", "XOX", "hooks.slack"),
        SquareOAuthDetector: ("sq0csp-",),
        StripeDetector: ("k_live_",),
    }
    # No literal tells these; "" is in every text.
    unmarked: tuple[type[RegexBasedDetector], ...] = (
        DiscordBotTokenDetector,
        TelegramBotTokenDetector,
        TwilioKeyDetector,
    )
    forms: list[tuple[str, tuple[re.Pattern[str], ...]]] = []
    for plugin, hints in [*known.items(), *((plugin, ("",)) for plugin in unmarked)]:
        forms += [(hint, tuple(plugin().denylist)) for hint in hints]
    return (*forms, *((hint, (re.compile(form),)) for hint, form in _MORE))


def secrets_in(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand: start and end of each, in no order; some may lie within others."""
    if "PRIVATE KEY" in text:
        for block in _PRIVATE_KEY.finditer(text):
            yield block.span()
    yield from _named(text)
    long = " ".join([word for word in text.split() if len(word) >= _SHORTEST])
    for hint, patterns in _forms():
        where = text if hint in _SHORT else long
        if hint not in where or (hint in _ALSO and not _ALSO[hint].search(where)):
            continue
        for pattern in patterns:
            for match in pattern.finditer(text):
                # A group is the secret itself, as in https://user:secret@host; but GitHub's is the kind of its token.
                group = 1 if match.re.groups == 1 and len(match[1] or "") >= 8 else 0
                group = 1 if hint == "://" else group
                start, end = match.span(group)
                yield from _whole(text, hint, start, end)


def _named(text: str) -> Iterator[tuple[int, int]]:
    """Values that a word such as `password` names. Prose names none: a value has letters and digits in one word.

    detect-secrets' KeywordDetector is not used: without quotes it takes the rest of the line for the value, and with
    them it takes any word, such as `"password": "required"`.
    """
    forms = [(_PASSWORD, _SHORTEST_PASSWORD)] if any(sign in text for sign in PASSWORD_SIGNS) else []
    small = text.lower()
    if any(word in small for word in ("key", "secret", "token")):
        forms.append((_NAMED_KEY, _SHORTEST))
    for form, least in forms:
        for match in form.finditer(text):
            value = match["value"].rstrip(".:!?")
            mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
            if mixed and len(value) >= least and not _NO_PASSWORD.fullmatch(value):
                start = match.start("value")
                yield start, start + len(value)


def _whole(text: str, hint: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The secret to the end of its word, unless it is not what its form says."""
    if hint == "eyJ":
        from detect_secrets.plugins.jwt import JwtTokenDetector

        if not JwtTokenDetector.is_formally_valid(text[start:end]):
            return
    if hint != "://" and (tail := _TAIL.match(text, end)):
        end = tail.end()
    yield start, end
