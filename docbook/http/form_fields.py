"""Fields of forms for what people type or paste: folded first, judged afterwards."""

from collections.abc import Callable
from typing import Any

from django import forms

from docbook.typed_text import folded_code, folded_text, plain_letters


class _Folds:
    """Goes before a field of Django's."""

    fold: Callable[[str], str] = staticmethod(folded_text)

    def to_python(self, value: Any) -> Any:
        folded = self.fold(value) if isinstance(value, str) else value
        return super().to_python(folded)  # type: ignore[misc]  # the field's


class TextField(_Folds, forms.CharField):
    pass


class EmailField(_Folds, forms.EmailField):
    pass


class ChoiceField(_Folds, forms.ChoiceField):
    """Capitals and accents do not matter: an address bar and a phone write them as they like."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        keys = {plain_letters(str(key)): str(key) for key, _label in self.choices}  # type: ignore[misc, union-attr]
        return keys.get(plain_letters(text), text)


class NumberField(_Folds, forms.IntegerField):
    fold = staticmethod(folded_code)


class CodeField(_Folds, forms.CharField):
    """Digits, whatever keyboard typed them."""

    fold = staticmethod(folded_code)


class PatternField(_Folds, forms.RegexField):
    """A number of the telephone, or the like: digits and signs that match a pattern."""

    fold = staticmethod(folded_code)


def fold_before(field: Any, fold: Callable[[str], str]) -> None:
    """The same for a field of a form that is not ours."""
    judge = field.to_python
    field.to_python = lambda value: judge(fold(value) if isinstance(value, str) else value)
