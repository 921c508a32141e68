"""Form fields for typed or pasted text. They fold the text before they validate it."""

from collections.abc import Callable
from typing import Any

from django import forms

from docbook.typed_text import folded_code, folded_text, plain_letters


class _Folds:
    """A mixin that goes before one of Django's fields."""

    fold: Callable[[str], str] = staticmethod(folded_text)

    def to_python(self, value: Any) -> Any:
        folded = self.fold(value) if isinstance(value, str) else value
        return super().to_python(folded)  # type: ignore[misc]  # the field's


class TextField(_Folds, forms.CharField):
    pass


class EmailField(_Folds, forms.EmailField):
    pass


class ChoiceField(_Folds, forms.ChoiceField):
    """Ignores capitals and accents: address bars and phones change them."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        if not text:
            return text
        keys = {plain_letters(str(key)): str(key) for key, _label in self.choices}  # type: ignore[misc, union-attr]
        return keys.get(plain_letters(text), text)


class NumberField(_Folds, forms.IntegerField):
    fold = staticmethod(folded_code)


class PatternField(_Folds, forms.RegexField):
    """A phone number or similar: digits and signs that match a pattern."""

    fold = staticmethod(folded_code)


def fold_before(field: Any, fold: Callable[[str], str]) -> None:
    """The same for a field of a form that is not ours."""
    judge = field.to_python
    field.to_python = lambda value: judge(fold(value) if isinstance(value, str) else value)
