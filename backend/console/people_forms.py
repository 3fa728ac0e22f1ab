"""What is typed about people and organisations, checked field by field before a service sees it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.validators import MinValueValidator
from django.utils.translation import gettext_lazy as _

from backend.console import labels
from backend.console.labels import REFUSALS
from backend.console.seat import name_of
from backend.core import clock
from backend.core.errors import DomainError
from backend.parties.models import ROLES_OF_KIND, Member, Organisation, Role
from backend.parties.services.console import USERNAME
from backend.parties.usernames import canonical_username

LARGEST_AMOUNT = 10**13


class RolesForm(forms.Form):
    """The roles of a member, of those that the organisation's kind has."""

    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [role for role in Role.values if role in ROLES_OF_KIND[organisation.kind]]
        self.fields["roles"].choices = [(role, labels.ROLES[role]) for role in own]  # type: ignore[attr-defined]


class InviteForm(RolesForm):
    name = forms.CharField(label=_("Name"), max_length=64)
    name_en = forms.CharField(label=_("Name in English"), max_length=64, required=False)


class FirstAdministratorForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=64)
    name_en = forms.CharField(label=_("Name in English"), max_length=64, required=False)


class DelegationForm(forms.Form):
    """Who may sign what, up to how much, from when to when."""

    to_member = forms.ChoiceField(label=_("Who may sign"))
    doc_types = forms.MultipleChoiceField(
        label=_("Documents"), choices=labels.DELEGATED.items(), widget=forms.CheckboxSelectMultiple
    )
    max_amount = forms.DecimalField(
        label=_("Up to, each (¥)"),
        max_digits=15,
        decimal_places=2,
        max_value=LARGEST_AMOUNT,
        validators=[MinValueValidator(1, _("More than nothing."))],
    )
    valid_from = forms.DateTimeField(label=_("From"))
    valid_to = forms.DateTimeField(label=_("Until"))

    def __init__(self, *args: Any, colleagues: list[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.id), name_of(one.person)) for one in colleagues]
        self.fields["to_member"].choices = choices  # type: ignore[attr-defined]
        now = clock.now().replace(second=0, microsecond=0)
        for name, moment in (("valid_from", now), ("valid_to", now + timedelta(days=30))):
            self.fields[name].widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            self.fields[name].initial = moment


class OrganisationForm(forms.Form):
    uscc = forms.CharField(label=_("Unified social credit code"), max_length=32)
    name = forms.CharField(label=_("Company name"), max_length=128)
    name_en = forms.CharField(label=_("Name in English"), max_length=128, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=labels.KINDS.items())


class VerifyForm(forms.Form):
    method = forms.ChoiceField(
        label=_("How"), choices=[(code, text) for code, text in labels.METHODS.items() if code != "demonstration"]
    )
    reference = forms.CharField(label=_("Where the proof lies"), max_length=120, required=False)


class UnverifyForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}))


class JoinForm(forms.Form):
    """An invitation accepted at the console."""

    code = forms.CharField(
        label=_("Invitation code"),
        max_length=32,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false", "class": "mono"}
        ),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=64,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("Password once more"), strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def clean_username(self) -> str:
        """A user name as the service takes it."""
        if not USERNAME.fullmatch(canonical_username(self.cleaned_data["username"])):
            raise forms.ValidationError(_("3 to 64 letters, digits, dots, dashes or underscores."), code="invalid")
        return str(self.cleaned_data["username"])

    def clean_again(self) -> str:
        """The same password twice."""
        again = str(self.cleaned_data["again"])
        if again != self.cleaned_data.get("password", again):
            raise forms.ValidationError(_("The two passwords differ."), code="differs")
        return again


def refuse(form: forms.Form, refusal: DomainError, **names: str) -> None:
    """Puts a service's refusal at the field it names (`names`: where the form calls it otherwise), else over the whole form."""
    fields = [names.get(error["field"], error["field"]) for error in refusal.errors]
    for field in [field for field in fields if field in form.fields] or [NON_FIELD_ERRORS]:
        form.add_error(field, REFUSALS.get(refusal.code, refusal.detail))
