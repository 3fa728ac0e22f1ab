from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backend.ledger.note import parse_signer
from tests.ledger.homes import SIGNER, Home, entry

ROOT = Path(__file__).parents[2]


def ledger(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend.ledger", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def refused(result: subprocess.CompletedProcess[str], name: str) -> None:
    assert result.returncode == 1, result
    assert result.stdout == ""
    assert result.stderr.startswith(name)
    assert result.stderr.count("\n") == 1, "one sentence, no traceback"


def test_genkey_writes_a_private_file_and_prints_its_verifier_key(tmp_path: Path) -> None:
    file = tmp_path / "log.key"
    result = ledger("genkey", "example.com/supply", file)
    assert result.returncode == 0, result.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    signer = parse_signer(file.read_text().strip())
    assert result.stdout == signer.vkey + "\n"
    assert signer.skey not in result.stdout + result.stderr

    refused(ledger("genkey", "example.com/supply", file), f"file: {file}: File exists")
    assert parse_signer(file.read_text().strip()) == signer
    refused(ledger("genkey", "two words", tmp_path / "other.key"), "key-invalid")
    assert not (tmp_path / "other.key").exists()


def test_a_key_is_never_written_inside_a_published_folder(home: Home) -> None:
    home.grow_to(3)
    (home.folder / "deeper").mkdir()
    for file in (home.folder / "log.key", home.folder / "deeper" / "log.key"):
        refused(ledger("genkey", "example.com/supply", file), "key-invalid")
        assert not file.exists()


def test_a_receipt_made_on_the_command_line_verifies_there(home: Home, tmp_path: Path) -> None:
    home.grow_to(600)
    receipt, entry_file = tmp_path / "300.tlog-proof", tmp_path / "300.entry"
    result = ledger("prove", home.folder, 300)
    assert result.returncode == 0, result.stderr
    receipt.write_text(result.stdout)
    entry_file.write_bytes(entry(300))
    good = ledger("verify-proof", receipt, "--entry", entry_file, "--log", SIGNER.vkey)
    assert (good.returncode, good.stdout) == (0, "ok: index 300 of example.com/testlog, size 600\n")

    entry_file.write_bytes(entry(301))
    refused(ledger("verify-proof", receipt, "--entry", entry_file, "--log", SIGNER.vkey), "proof-invalid")
    refused(ledger("verify-proof", receipt, "--entry", entry_file, "--log", SIGNER.vkey[:-1]), "key-invalid")
    refused(ledger("verify-proof", receipt, "--entry", tmp_path / "none", "--log", SIGNER.vkey), "file: ")
    refused(ledger("prove", home.folder, 600), "argument: no leaf 600")
    refused(ledger("prove", tmp_path / "nowhere", 0), "checkpoint-missing")


def test_consistency_prints_one_hash_a_line(home: Home) -> None:
    home.grow_to(4)
    home.grow_to(7)
    result = ledger("consistency", home.folder, 4, 7)
    assert (result.returncode, result.stdout) == (0, "5CnFtcyqlSPDcpfxhGdm+QMTfoIZXFGZ5r5XEw0QBsg=\n")
    assert ledger("consistency", home.folder, 0, 7).stdout == ""
    refused(ledger("consistency", home.folder, 4, 8), "argument: the published size is 7")
    refused(ledger("consistency", home.folder, 5, 4), "argument: no consistency proof")
    assert ledger("consistency", home.folder, "04", 7).returncode == 2
    file = home.folder / "tile/0/000.p/7"
    file.write_bytes(file.read_bytes()[::-1])
    refused(ledger("consistency", home.folder, 4, 7), "proof-invalid")


def test_verify_says_ok_or_names_the_first_fault(home: Home) -> None:
    home.grow_to(300)
    result = ledger("verify", home.folder, "--log", SIGNER.vkey)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("ok: example.com/testlog, size 300, root ")
    file = home.folder / "tile/entries/000"
    file.write_bytes(file.read_bytes().replace(b"entry-5", b"entry+5"))
    refused(ledger("verify", home.folder, "--log", SIGNER.vkey), "bundle-wrong: tile/entries/000, entry 5, index 5")
    refused(ledger("verify", home.folder, "--log", "nonsense"), "key-invalid")


def test_the_package_needs_nothing_but_two_libraries() -> None:
    """What an outsider with a copy of the files must have: no framework and no settings."""
    code = (
        "import sys, backend.ledger.__main__, backend.ledger.log, backend.ledger.commitment, backend.ledger.policy\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'django', 'rest_framework', 'celery'}))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize("command", ["genkey", "prove", "consistency", "verify", "verify-proof"])
def test_every_command_explains_itself(command: str) -> None:
    assert ledger(command, "--help").returncode == 0
