"""Who may decide about organisations and their people, and the lock under which it is decided."""

from uuid import UUID

from django.db.models import F

from backend.core.errors import Forbidden, Malformed, NotFound
from backend.core.events import SYSTEM, Actor
from backend.parties.errors import RoleForeign
from backend.parties.models import ROLES_OF_KIND, Member, Organisation, Role
from backend.parties.selectors import administers_operator, member_of


def administrator(by: Actor) -> Member:
    """The member who acts, an administrator of the own organisation. Raises Forbidden."""
    member = member_of(by)
    if member is None or not member.has_role(Role.ADMIN):
        raise Forbidden()
    return member


def operator(by: Actor) -> Member | None:
    """The administrator of the verified operator who acts; None for the server's own command. Raises Forbidden."""
    if by is SYSTEM:
        return None
    member = administrator(by)
    if not administers_operator(member):
        raise Forbidden("The operator alone does this.")
    return member


def lock_organisation(organisation: UUID) -> Organisation:
    """The organisation, locked until the transaction ends: whoever counts its administrators counts alone. Raises NotFound."""
    if not Organisation.objects.filter(id=organisation).update(kind=F("kind")):
        raise NotFound()
    return Organisation.objects.get(id=organisation)


def administrators(organisation: UUID) -> list[Member]:
    """The active administrators. Count them under the organisation's lock."""
    return [one for one in Member.objects.filter(organisation=organisation, active=True) if one.has_role(Role.ADMIN)]


def checked_roles(organisation: Organisation, roles: list[str]) -> list[str]:
    """The roles, each once, in their usual order. Raises Malformed for none or what is no role, RoleForeign for what this kind has not."""
    unknown = [role for role in roles if role not in Role.values]
    if unknown or not roles:
        raise Malformed(f"Not a role: {', '.join(map(str, unknown)) or 'none given'}.", field="roles")
    foreign = [role for role in roles if role not in ROLES_OF_KIND[organisation.kind]]
    if foreign:
        raise RoleForeign(f"No {', '.join(foreign)} in a {organisation.kind.lower()}.", field="roles")
    return [role for role in Role.values if role in roles]
