from __future__ import annotations

import pytest

from backend.ledger import policy
from backend.ledger.errors import PolicyInvalid
from backend.ledger.note import COSIGNATURE, Signer, generate_signer
from tests.ledger.homes import SIGNER

VKEY = SIGNER.vkey


def test_a_policy_names_each_log_and_no_witness_and_is_read_back() -> None:
    asset = generate_signer("example.com/asset").verifier
    text = policy.render([SIGNER.verifier, asset])
    assert text == f"log {VKEY}\nlog {asset.vkey}\nquorum none\n"
    assert policy.parse(text) == policy.Policy((SIGNER.verifier, asset), "none")


def test_comments_blanks_tabs_and_addresses_are_read_over() -> None:
    text = f"# ours\n\n \tlog\t{VKEY}  https://log.example  # supply\nquorum none # yet"
    assert policy.parse(text).logs == (SIGNER.verifier,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no quorum"),
        (f"log {VKEY}\n", "no quorum"),
        ("quorum none\nquorum none\n", "line 2: a second quorum"),
        ("quorum all\n", "line 1: a quorum other than none"),
        ("quorum\n", "line 1"),
        (f"witness w {VKEY}\nquorum none\n", "line 1: a witness"),
        ("group g all w\nquorum none\n", "line 1: a group"),
        ("log\nquorum none\n", "line 1: log"),
        (f"log {VKEY} a b\nquorum none\n", "line 1: log"),
        ("log example+00000000+AAAA\nquorum none\n", "line 1: key-invalid"),
        (f"log {VKEY}\nlog {VKEY}\nquorum none\n", "one public key"),
        (f"log {Signer('w', COSIGNATURE, bytes(32)).vkey}\nquorum none\n", "0x01"),
        ("mirror x\nquorum none\n", "line 1: mirror"),
    ],
)
def test_what_a_reader_could_misunderstand_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(PolicyInvalid, match=reason):
        policy.parse(text)
