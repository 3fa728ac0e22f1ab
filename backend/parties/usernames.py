import unicodedata


def canonical_username(text: str) -> str:
    """One form for every way to write a username: full width or half, upper or lower case, with or without spaces around it.

    NFKC before and after case folding, because each can undo the other (Unicode 3.13, identifier caseless matching).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).strip()
