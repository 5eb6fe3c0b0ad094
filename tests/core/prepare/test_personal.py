"""Personal data and secrets: what is found, what only looks like it, and that nothing is left when it is masked."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.prepare.personal import PLACEHOLDERS, found, kinds_in, mask, names_people, suspects

GITHUB = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK=\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("jane.doe+list@mail.example.co.uk", "email"),
        ("jörg@müller.de", "email"),
        ("+49 30 901820", "phone"),
        ("+1 (212) 555-0123", "phone"),
        ("0044 20 7946 0958", "phone"),
        ("(212) 555-0123", "phone"),
        ("212-555-0123", "phone"),
        ("020 7946 0958", "phone"),
        ("0171 1234567", "phone"),
        ("030/1234567", "phone"),
        ("01 42 68 53 00", "phone"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("DE89370400440532013000", "iban"),
        ("GB29NWBK60161331926819", "iban"),
        ("MT84MALT011000012345MTLCAST001S", "iban"),
        ("4111 1111 1111 1111", "card"),
        ("5555555555554444", "card"),
        ("378282246310005", "card"),
        ("3056-930902-5904", "card"),
        ("RSSMRA85T10A562S", "national-id"),
        ("2 95 10 99 126 111 93", "national-id"),
        ("529.982.247-25", "national-id"),
        ("756.9217.0769.85", "national-id"),
        ("85.07.30-033.28", "national-id"),
        ("11010519491231002X", "national-id"),
        ("131052-308T", "national-id"),
        ("AB 12 34 56 C", "national-id"),
        ("8.8.8.8", "ip"),
        ("2001:4860:4860::8888", "ip"),
        ("AKIAIOSFODNN7EXAMPLE", "secret"),
        (GITHUB, "secret"),
        ("github_pat_" + "A1b2" * 20, "secret"),
        ("glpat-" + "a1B2" * 5, "secret"),
        ("xoxb-1234567890-abcdef", "secret"),
        ("sk_live_" + "a1B2" * 6, "secret"),
        ("sk-proj-" + "a" * 50 + "T3BlbkFJ" + "b" * 60, "secret"),
        ("sk-proj-" + "a1B_" * 12 + "-aT3BlbkFJ" + "-b_2" * 15, "secret"),
        ("sk-svcacct-" + "a1B_" * 12, "secret"),
        ("sk-admin-" + "a1B-" * 12 + "x", "secret"),
        ("sk-ant-api03-" + "a1B2" * 20, "secret"),
        ("hf_" + "aB3d" * 8 + "ef", "secret"),
        ("AIza" + "aB3d5" * 7, "secret"),
        ("SG." + "a" * 22 + "." + "b" * 43, "secret"),
        ("123456789:" + "AAbbccdd_" * 3 + "eeffgghh", "secret"),
        (JWT, "secret"),
        (KEY, "secret"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", "secret"),
    ],
)
def test_each_is_found_whole_inside_a_sentence(value: str, kind: str) -> None:
    for text in (value, f"Say {value}, please.", f"({value})", f"«{value}»\n"):
        assert [(piece.kind, text[piece.start : piece.end]) for piece in found(text)] == [(kind, value)], text
    assert mask(f"a {value} b") == f"a {PLACEHOLDERS[kind]} b"  # type: ignore[index]


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("SSN: ", "123-45-6789", ""),
        ("", "123-45-6789", " is my social security number"),
        ("NHS no. ", "943 476 5919", ""),
        ("National Insurance ", "AB123456C", ""),
        ("Steuer-ID ", "36574261809", ""),
        ("mi DNI es ", "54362315K", ""),
        ("NIE ", "X-5253868-R", ""),
        ("BSN ", "111222333", ""),
        ("PESEL ", "44051401359", ""),
        ("personnummer ", "880320-0016", ""),
        ("CPF ", "52998224725", ""),
        ("SIN ", "130 692 544", ""),
        ("aadhaar ", "234123412346", ""),
    ],
)
def test_a_number_of_one_check_digit_needs_its_name(before: str, value: str, after: str) -> None:
    assert mask(before + value + after) == before + "[ID]" + after
    assert mask(f"order {value} shipped", ["national-id"]) == f"order {value} shipped"


def test_a_header_names_the_numbers_below_it() -> None:
    assert mask("123-45-6789", column="Patient SSN") == "[ID]"
    assert mask("2125550123", column="Phone Number") == "[PHONE]"
    assert mask("2125550123", column="invoice") == "2125550123"
    assert mask("tel. 2125550123 or 030-1234567") == "tel. [PHONE] or [PHONE]"
    assert mask("no. 2125550123 or 030-1234567") == "no. 2125550123 or 030-1234567"


@pytest.mark.parametrize(
    "text",
    [
        "on 2020-04-10, 10/04/2020, 01.02.2020 10 and 01-02-2020 09:30:15",
        "costs 1,234,567.89 or $12.345.678,00, or 1 000 000 000",
        "order 20200410-1234, item 1001-2002-3003, EAN 4006381333931, id 0012345678901",
        "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "1586476800123 and 1586476800.123456",
        "version 1.2.3.4, v10.0.19041.1, Chrome 91.0.4472.124",
        "10.0.0.1, 192.168.1.17, 127.0.0.1, 0.0.0.0, 192.0.2.1, ::1, fe80::1",
        "std::vector<int>, a::b, 12:30:45, 00:1b:44:11:3a:b7",
        "4111 1111 1111 1112 has a wrong check digit; so has DE88370400440532013000",
        "icon@2x.png, @handle, a @ b, user@localhost, git@github.com:owner/name",
        "https://example.com/path?user:name",
        "AKIA is a prefix; the task-force risk-free desk-top sk-8",
        "pi is 3.14159265358979, e 2.718281828459045",
        "5, 6, 7, 8, 9, 10, 11, 12, 13",
        "2019 2020 2021 2022 2023",
        "chapter 12.3.4.5.6 and 0.7-0.9",
        "telephone 12345",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert found(text) == []


def test_chance_numbers_and_codes_are_hardly_ever_taken_for_it() -> None:
    draw = random.Random(3)
    forms = [
        "########",
        "#########",
        "##########",
        "###########",
        "ORD-####-#####",
        "#####-####",
        "####/####",
        "A###-####-##",
        "#,###,###.##",
    ]
    for form in forms:
        texts = [re.sub("#", lambda _: draw.choice("0123456789"), form) for _ in range(2000)]
        assert sum(bool(found(text)) for text in texts) <= 2, form


def test_a_password_in_an_address_is_a_secret_and_an_account_is_no_phone() -> None:
    assert mask("https://bob:hunter22@host.com/x") == "https://bob:[SECRET]@host.com/x"
    assert kinds_in("account DE89 3704 0044 0532 0130 00") == {"iban"}


def test_only_the_kinds_asked_for_are_masked() -> None:
    text = "a@b.com or 8.8.8.8"
    assert mask(text, ["ip"]) == "a@b.com or [IP]"
    assert mask(text, []) == text


def test_names_are_the_cells_of_columns_that_say_so() -> None:
    for header in ("First Name", "lastName", "surname", "customer_name", "Patient Full Name", "Nachname"):
        assert names_people(header), header
        assert mask(" Ada Lovelace ", column=header) == " [NAME] "
    for header in ("product_name", "file name", "username", "notes", "named", "name"):
        assert not names_people(header), header
        assert header == "name" or mask("Ada Lovelace", column=header) == "Ada Lovelace"
    assert mask("Ada Lovelace", ["name"], column="name") == "[NAME]", "who asks for it means it"


def test_a_long_text_is_looked_at_to_its_end() -> None:
    filler = "word " * 13_107 + "wo"  # a piece across the end of the first stretch
    text = filler + "jane@example.com " + filler * 3 + GITHUB
    assert [piece.kind for piece in found(text)] == ["email", "secret"]
    assert "jane" not in mask(text) and "ghp_" not in mask(text)


KNOWN = ["a@b.com", "+49 30 901820", "4111111111111111", "DE89370400440532013000", "8.8.8.8", GITHUB, JWT, KEY, "SSN "]
JOINTS = ["123-45-6789", "2125550123", "phone ", "://", "x:y@", "[EMAIL]", "[PHONE]", *"-. 1@\0\ud800"]
pieces = st.sampled_from(KNOWN + JOINTS)
texts = st.lists(pieces | st.text(max_size=8), max_size=12).map("".join)


@given(texts, st.sets(st.sampled_from(list(PLACEHOLDERS))), st.sampled_from(["", "ssn", "phone", "first_name"]))
@settings(max_examples=300, deadline=None)
def test_nothing_is_found_in_a_masked_text(text: str, kinds: set[str], column: str) -> None:
    masked = mask(text, kinds, column)  # type: ignore[arg-type]
    assert found(masked, kinds, column) == []  # type: ignore[arg-type]
    assert mask(masked, kinds, column) == masked  # type: ignore[arg-type]
    if not found(text, kinds, column):  # type: ignore[arg-type]
        assert masked == text


@given(st.text() | texts)
@settings(deadline=None)
def test_pieces_are_in_order_and_do_not_overlap(text: str) -> None:
    last = 0
    for piece in found(text):
        assert last <= piece.start < piece.end <= len(text)
        last = piece.end


@pytest.mark.parametrize("unit", ["a", "1", "@", "a@", "1 ", "\0", "\ud800", "eyJ", "0171 1234567 ", "a@b.com "])
def test_a_huge_cell_is_no_trouble(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    masked = mask(text)
    assert found(masked) == []


def test_a_row_without_any_is_passed_in_microseconds() -> None:
    rows = [
        "the customer asked when the parcel would come, and was told next week; " * 4 + f"case {n}" for n in range(3000)
    ]
    start = time.perf_counter()
    assert not any(found(row) for row in rows)
    assert (time.perf_counter() - start) / len(rows) < 200e-6, "ten times what it takes on a quiet machine"


def test_todays_keys_of_openai_are_masked_whatever_they_hold() -> None:
    draw = random.Random(5)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    for _ in range(500):
        first, second = ("".join(draw.choices(letters, k=74)) for _ in range(2))
        assert mask(f"use sk-proj-{first}T3BlbkFJ{second} here") == "use [SECRET] here"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password: hunter2secret99", "password: [SECRET]"),
        ("My Password: hunter2.", "My Password: [SECRET]."),
        ("PASSWORD=Tr0ub4dor&3", "PASSWORD=[SECRET]"),
        ("db_password = 'abc123' # old", "db_password = '[SECRET]' # old"),
        ('{"password": "s3cretpw", "user": "bob"}', '{"password": "[SECRET]", "user": "bob"}'),
        ("Passwort: geheim123", "Passwort: [SECRET]"),
        ("pwd:q1w2e3r4", "pwd:[SECRET]"),
        ('api_key = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"', 'api_key = "[SECRET]"'),
        ("API key: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "API key: [SECRET]"),
        ("apiKey: '9f8e7d6c5b4a39281706f5e4d3c2b1a0',", "apiKey: '[SECRET]',"),
        ("CLIENT_SECRET=9f8e7d6c5b4a39281706f5e4d3c2b1a0", "CLIENT_SECRET=[SECRET]"),
    ],
)
def test_what_a_word_for_a_secret_names_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert suspects(["nothing", text, "nothing"]) == [1]


@pytest.mark.parametrize(
    "text",
    [
        "the password is wrong",
        "password: your password",
        "Password: required",
        "password: 12-character minimum, or 8-16-character",
        "password: SHA-256 of it; password: sha256sum; password: base64-encoded",
        "password: https://example.com/reset2",
        "password = os.environ['DB_PASS1']; password = config.password2; password: $PASSWORD1; password: ${PASS1}",
        "password = hash256(given); pwd: <password1>",
        "passwords: 2 of 3 leaked in 2024",
        "Secret: he was born in 1980. Token: 3 of them; key: C4",
        "api_key: your-api-key-goes-in-here",
        "the token: a unit of text of about 4 characters",
        "forgot my password 3 times; password reset in 24h",
    ],
)
def test_prose_about_passwords_is_left(text: str) -> None:
    assert found(text) == []
