"""
What it checks: no file holds what looks like a real credential: keys of AWS, GitHub, Slack, OpenAI, Anthropic, Google and Stripe,
private key blocks, signed tokens, and passwords of high entropy in an assignment. Placeholders and the example keys of the
vendors' own pages are fine. The report never shows the whole of it.

Why it matters: a published package is public for ever, and bots use a key within minutes. The model copies it into whatever it writes.

How to fix: revoke the key first (deleting it is not enough: history keeps it), then write a placeholder such as `YOUR_KEY` or
`$API_KEY`.
"""

import math
import re

from pluglint.rule import ERROR, HERE, JSON_FILES, MARKDOWN, Example, Problem, Rule, Span
from pluglint.text import Source

RULE = Rule(
    title="a credential is embedded",
    severity=ERROR,
    on=(*MARKDOWN, *JSON_FILES),
    source="CWE-798; the prefixes by which the vendors mark their keys, as commonly known in 2026",
    needles=("AKIA", "_ACCESS_KEY", "secret_access_key", "ghp_", "github_pat_", "xox", "sk-", "_live_", "AIza", "PRIVATE KEY-----", "eyJ", "assw", "ASSW"),
)

# In pieces, so that scanners of this source stay quiet.
_AWS, _SECRET = "AKIA" + "Q7Z3LMXW2RT9KDPV", "bX9v/Kq2" + "LmT7wRz4" + "Yc1PdNs8" + "HjU6eGf3" + "AoVtQiZk"

GOOD = (
    Example({"README.md": "# Demo\n\n```bash\nexport AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nexport TOKEN=ghp_" + "x" * 36 + "\nexport OPENAI_API_KEY=sk-...\n```\n"}),
    Example({"README.md": '# Demo\n\n```python\npassword = os.environ["PASSWORD"]\npassword = "correct-horse-battery-staple"\napi_key = "your-api-key-here-1234"\n```\n'}),
    Example({"README.md": "# Demo\n\n```\n" + "eyJ" + "hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ" + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\n```\n"}),
)
GOOD += (
    Example({"README.md": "# Demo\n\n```\n-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhk...\n-----END PRIVATE KEY-----\nkey = \"sk-" + "proj-abc123def456ghi789jkl012mno345\"\n```\n"}),
    Example({"README.md": "# Demo\n\n```json\n{\"user\": \"Jane Doe\", \"password\": \"zQ8#" + "vT2!rK9wLx4\"}\n```\n\nAIza" + "SyA1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q\n"}),
)
BAD = (
    Example({"README.md": '# Demo\n\n```python\npassword = "' + "zQ8#vT2" + f'!rK9wLx4"{HERE}\n```\n'}, message="a password (zQ8#…, 15 characters)"),
    Example({"README.md": f"# Demo\n\n```bash\nexport AWS_ACCESS_KEY_ID={_AWS}{HERE}\nexport AWS_SECRET_ACCESS_KEY={_SECRET}{HERE}\n```\n"}, message="an AWS access key id (AKIA…, 20 characters)"),
    Example({"README.md": "# Demo\n\nghp_" + "k3Zt9QwLr7" + "Xc2VbN8mPq" + "S5dFg6HjT1" + f"Yu4eAi{HERE}\n"}, message="a GitHub token (ghp_…, 40 characters)"),
    Example({"README.md": "# Demo\n\n-----BEGIN RSA " + f"PRIVATE KEY-----{HERE}\n" + "MIIEowIBAAKCAQEA0Zx7\n" * 3 + "-----END RSA PRIVATE KEY-----\n"}, message="a private key"),
)

# (a text that must be there, what it is, pattern with the secret in group 1); the first are the rule's needles.
_FORMS = (
    ("AKIA", "an AWS access key id", r"(?<![A-Za-z0-9/+])(AKIA[A-Z0-9]{16})(?![A-Za-z0-9/+=])"),
    ("_ACCESS_KEY", "an AWS secret key", r"_ACCESS_KEY[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
    ("secret_access_key", "an AWS secret key", r"secret_access_key[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
    ("ghp_", "a GitHub token", r"(?<![A-Za-z0-9_])(ghp_[A-Za-z0-9]{36,251})(?![A-Za-z0-9_])"),
    ("github_pat_", "a GitHub token", r"(?<![A-Za-z0-9_])(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})(?![A-Za-z0-9_])"),
    ("xox", "a Slack token", r"(?<![A-Za-z0-9])(xox[abeprs]-[0-9]{8,14}-[A-Za-z0-9-]{10,150})"),
    ("sk-", "an API key", r"(?<![A-Za-z0-9_-])(sk-(?:ant-[a-z0-9]{3,8}-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{32,200})"),
    ("_live_", "a Stripe key", r"(?<![A-Za-z0-9_])([rs]k_live_[A-Za-z0-9]{24,200})"),
    ("AIza", "a Google API key", r"(?<![A-Za-z0-9_-])(AIza[A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    ("PRIVATE KEY-----", "a private key", r"(-----BEGIN (?:[A-Z]{2,8} ){0,2}PRIVATE KEY-----)[ \t]*(?:\n|\\n)[ \t]*[A-Za-z0-9+/=]{16}"),
    ("eyJ", "a signed token", r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{17,2000}\.eyJ[A-Za-z0-9_-]{17,4000}\.[A-Za-z0-9_-]{20,1000})"),
    ("assw", "a password", r"assw(?:or)?d[\"']?[ \t]{0,4}(?:=|:|:=)[ \t]{0,4}[\"']([^\s\"'`]{12,100})[\"']"),
    ("ASSW", "a password", r"ASSW(?:OR)?D[\"']?[ \t]{0,4}(?:=|:|:=)[ \t]{0,4}[\"']([^\s\"'`]{12,100})[\"']"),
)
_PLACEHOLDER = r"(?i)example|xxx|your|\.\.\.|\u2026|[<>{}$%]|placeholder|dummy|fake|test|sample|redacted|change|secret|passw|1234567|abcdef|\*\*\*|___|insert|replace|demo|foo|p@ss|eyJzdWIiOiIxMjM0NTY3ODkw|(.)\1{5}"


def check(document):
    text = document.text
    found = []
    for needle, noun, pattern in _FORMS:
        if document.holds((needle,)):
            for match in re.finditer(pattern, text):
                secret = match.group(1)
                if not _elided(text, match.end()) if noun == "a private key" else not (re.search(_PLACEHOLDER, secret) or _counted(secret) or noun == "a password" and _of_nobody(text, match.start())) and _random(secret, noun):
                    found.append((Span(*match.span(1)), noun, secret))
    if not found:
        return
    source = _masked(document.source, [span for span, _, _ in found])
    for span, noun, secret in found:
        shown = "" if noun == "a private key" else f" ({secret[:4]}…, {len(secret)} characters)"
        yield Problem(source, span, noun + shown, "Revoke it, then write a placeholder.")


def _elided(text, end):
    """Whether dots stand for the rest of a key block."""
    return re.match(r"[A-Za-z0-9+/=]*(?:\.\.\.|\u2026)", text[end : end + 100]) is not None


def _counted(secret):
    """Whether the letters or the digits run through the alphabet or the numbers: "abc123def456", "A1B2C3D4E5F6"."""
    return re.search(r"abcdef|bcdefg", re.sub(r"[^a-z]", "", secret.lower())) is not None or "123456" in re.sub(r"\D", "", secret)


def _of_nobody(text, at):
    """Whether the account is that of an example: John Doe at example.com."""
    return re.search(r"(?i)\b(?:jane|john) doe\b|@example\.(?:com|org|net)\b", text[max(0, at - 200) : at + 200]) is not None


def _random(secret, noun):
    """Whether a text has the look of a key: several kinds of characters, and none of them often."""
    body = secret[4:] if secret[:4] in ("AKIA", "AIza", "ghp_") else secret
    counts = {char: body.count(char) for char in set(body)}
    entropy = -sum(count / len(body) * math.log2(count / len(body)) for count in counts.values())
    digits = any(char.isdigit() for char in body)
    if noun == "a password":
        kinds = digits + any(char.islower() for char in body) + any(char.isupper() for char in body) + any(not char.isalnum() for char in body)
        return kinds >= 3 and entropy > 3.2 and not re.fullmatch(r"[A-Za-z]+(?:[-_.:/][A-Za-z]+)*\d{0,4}[!@#$]?", body)
    if noun == "an AWS access key id":
        return entropy > 2.5
    return digits and any(char.isalpha() for char in body) and entropy > 3.3


def _masked(source, spans):
    """The same text with all but the first four characters of each secret starred: a report prints the line."""
    parts = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            parts += [source.text[at : start + 4], "*" * (end - start - 4)]
            at = end
    parts.append(source.text[at:])
    return Source(source.path, source.rel, "".join(parts))
