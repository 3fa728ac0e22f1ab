import io

from django.core.management import call_command


def test_the_migrations_make_the_tables_that_the_models_ask_for(db: None) -> None:
    said = io.StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=said)
    except SystemExit:
        raise AssertionError(f"run manage.py makemigrations:\n{said.getvalue()}") from None
