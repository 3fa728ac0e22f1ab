from django.utils.safestring import SafeString, mark_safe


def qr_svg(text: str) -> SafeString:
    """A QR code of the text as an inline SVG, dark on white, four modules of quiet around it (ISO/IEC 18004)."""
    import segno  # the one page that shows a code pays for it

    drawn = segno.make(text, error="m", micro=False)
    svg = drawn.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True)
    return mark_safe(svg)  # noqa: S308 - drawn here, from modules alone
