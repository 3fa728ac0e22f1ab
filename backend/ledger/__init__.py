"""A transparency log: an append-only Merkle tree in files, which anybody can check without trusting its keeper.

The whole format, before any code. All of it is open (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles,
tlog-proof, tlog-policy; RFC 6962 for the tree), so other people's tools read it too. Base64 is RFC 4648 section 4 with
padding, sizes are decimal ASCII without leading zeros, a hash is SHA-256, a line ends in LF.

Entry
    Opaque bytes, at most 65,535. Here each is one business event: a CloudEvents 1.0 JSON object in RFC 8785 form that
    holds no business data, only one salted commitment for each section of the event (`commitment`).

Tree (`merkle`)
    leaf = H(0x00 || entry), node = H(0x01 || left || right), the empty tree is H(""). A tree of n leaves splits at the
    largest power of two below n.

Files below one folder (`tiles`, written only through `durable`)
    tile/<L>/<N>            up to 256 hashes of level 8*L, 32 bytes each; a tile that is not full ends in .p/<width>
    tile/entries/<N>        the matching up to 256 entries, each behind its length in two bytes, big endian
    checkpoint              the newest published checkpoint; the only file whose content changes
    <N> is written in groups of three digits, all but the last behind an x: 1234067 is x001/x234/067.

Checkpoint (`checkpoint`), a signed note (`note`)
    <origin> LF <size> LF <base64 root> LF      the text; what is signed
    LF                                          an empty line
    — <key name> <base64(key id || signature)>  one line a signature, in UTF-8
    A verifier key reads <name>+<hex key id>+<base64(type || public key)>, key id = H(name LF type || public key)[:4].
    Type 0x01 signs the text with Ed25519; type 0x04 is a witness and signs "cosignature/v1" LF "time <t>" LF text.

Receipt (`proof`), the file X.tlog-proof
    c2sp.org/tlog-proof@v1 LF [extra <base64> LF] index <n> LF {<base64 hash> LF} LF <checkpoint>
    With the entry and the log's verifier key it is verified offline.

How it grows (`log`)
    Take waiting entries, write their bundles and tiles durably, then insert a signed checkpoint by compare-and-swap:
    that is the commit. Only then may the checkpoint be seen, and `publish_latest` alone shows it. Files wholly below
    the committed size never change; whatever a crash left above it is overwritten. The engine knows the database only
    through three small protocols, and refuses to sign when what it finds does not fit.
"""
