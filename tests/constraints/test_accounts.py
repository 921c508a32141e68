from uuid import uuid4

from django.utils import timezone

from accounts.models import AccountCode, CodeGuesses, PatientMerge
from tests.constraints.registry import breaks
from tests.factories import make_patient, make_user


@breaks("one_user_per_email")
def test_an_address_belongs_to_one_user():
    make_user(email="alba@example.test")
    other = make_user(email="other@example.test")
    other.email = "alba@example.test"
    other.save()


@breaks("user_email_is_plain_and_in_lower_case")
def test_an_address_in_capitals_is_refused():
    user = make_user(email="alba@example.test")
    user.email = "ALBA@example.test"
    user.save()


@breaks("user_email_is_plain_and_in_lower_case")
def test_an_address_with_a_letter_that_looks_like_another_is_refused():
    user = make_user(email="victim@mail.test")
    user.email = "victim@ma\u0131l.test"
    user.save()


@breaks("account_code_has_three_attempts")
def test_a_fourth_try_of_a_code_is_refused():
    AccountCode.objects.create(
        purpose="sign-in",
        mailbox="m",
        target="t",
        mail_id=uuid4(),
        attempts=4,
        expires_at=timezone.now(),
    )


@breaks("one_count_of_guesses_per_guesser")
def test_guesses_are_counted_once_for_each_guesser():
    for _ in range(2):
        CodeGuesses.objects.create(target="t", guesser="strangers", since=timezone.now())


@breaks("patient_goes_into_one_other")
def test_an_account_is_merged_into_one_other():
    merged = make_patient()
    for _ in range(2):
        PatientMerge.objects.create(kept=make_patient(), merged=merged, merged_at=timezone.now())


@breaks("merge_is_of_two_patients")
def test_an_account_is_not_merged_into_itself():
    patient = make_patient()
    PatientMerge.objects.create(kept=patient, merged=patient, merged_at=timezone.now())
