"""What counts as a mutant, and what counts as noticed."""

from proof.mutation.operators import mutations
from proof.mutation.verdicts import Fate, Mutant, Verdicts

FUNCTION = """CREATE OR REPLACE FUNCTION bookings_end(p_hold uuid)
 LANGUAGE plpgsql
AS $function$
BEGIN
    -- Only held AND live ones: 'held' > 'open'.
    PERFORM FROM bookings_hold WHERE id = p_hold AND expires_at <= now_ FOR UPDATE;
    UPDATE bookings_hold SET state = 'expired', version = version + 1 WHERE id = p_hold;
END $function$
"""


def changed(slip: str) -> list[str]:
    """The line as each mutant of this kind has it."""
    return [
        each.definition.splitlines()[each.line - 1].strip()
        for each in mutations(FUNCTION)
        if each.slip == slip
    ]


def test_each_slip_is_made_in_one_place_and_never_in_a_comment() -> None:
    lock, write = FUNCTION.splitlines()[5].strip(), FUNCTION.splitlines()[6].strip()
    assert changed("a limit moved") == [lock.replace("<=", "<")]
    assert changed("and for or") == [lock.replace("AND", "OR")]
    assert changed("a lock forgotten") == [lock.replace("FOR UPDATE", "")]
    assert changed("a statement forgotten") == ["NULL;", "NULL;"]
    assert changed("another word") == [write.replace("expired", "other")]
    assert changed("a field forgotten") == [
        write.replace("state = 'expired'", "state = state"),
        write.replace("version = version + 1", "version = version"),
    ]


def test_what_nobody_can_run_does_not_count_and_what_hangs_is_noticed(capsys) -> None:
    fates = [Fate.KILLED, Fate.TIMEOUT, Fate.TIMEOUT, Fate.SURVIVED, Fate.REFUSED]
    mutants = [Mutant(place="f", name=f"f {fate}", fate=fate, change="+ x") for fate in fates]
    Verdicts("functions", mutants).show()
    said = capsys.readouterr().out
    assert "Survived: f survived\n+ x" in said
    assert said.splitlines()[-1].split() == ["score", "0.75"]
