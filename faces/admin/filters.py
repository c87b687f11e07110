"""By what the people of the People page can be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest


class HiddenFilter(admin.SimpleListFilter):
    """Hidden people are apart, unless they are searched for."""

    title = "visibility"
    parameter_name = "hidden"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("yes", "Hidden"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "All that are found" if changelist.query else "Visible"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(hidden=True)
        return queryset if self.value() == "all" or request.GET.get("q") else queryset.filter(hidden=False)


class NameFilter(admin.SimpleListFilter):
    title = "name"
    parameter_name = "named"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("yes", "Named"), ("no", "Unnamed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.exclude(name="")
        return queryset.filter(name="") if self.value() == "no" else queryset


class PhotosFilter(admin.SimpleListFilter):
    title = "number of photos"
    parameter_name = "photos"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(str(least), f"At least {least}") for least in (2, 5, 10)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"2", "5", "10"}:
            return queryset
        # Nobody is in more photos than they have faces; so the photos of few people only are counted.
        return queryset.filter(centroid__size__gte=self.value(), image_count__gte=self.value())
