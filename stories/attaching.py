"""The part of a story's form that is about its attachments.

Each attachment is a row: the name of its file in `attachment`, one a row and in their order, a title and a
box to take it out. New files are stored at once, whatever else is wrong, and come back as rows.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib.sessions.backends.base import SessionBase
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import QueryDict

from . import attachments, files
from .models import Asset, User
from .rendering import kind_words, size_words

_NAME = re.compile(r"([0-9a-f]{64})\.[a-z]{3,4}")
_GONE = "A document is not here any more. Upload it again"


@dataclass(frozen=True)
class Row:
    """An attachment in the form: its file, and the fields about it."""

    asset: Asset
    title: forms.BoundField
    remove: forms.BoundField
    #: What the file was called that was uploaded just now; empty for the others.
    sent_as: str
    #: Whether it is the first of those uploaded just now, where the writer goes on.
    is_first_new: bool

    @property
    def name(self) -> str:
        return self.asset.name

    @property
    def words(self) -> str:
        """What it is: "PDF, 218 KB"."""
        return f"{kind_words(self.asset.media_type, self.name)}, {size_words(self.asset.size)}"


class FilesInput(forms.FileInput):
    """A choice of several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files. Its value is a list of those sent."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        return list(data or [])


class AttachmentsForm(forms.Form):
    """A form with attachments, after all its other fields.

    `session` remembers what was uploaded in it, so that a file is not lost whose bytes somebody else had
    stored before.
    """

    def __init__(self, *args: Any, user: User, session: SessionBase | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.session = user, session
        self.fields["attachment"] = forms.Field(required=False, widget=forms.MultipleHiddenInput)
        self.fields["attachment_files"] = FilesField(
            required=False,
            label="Add documents",
            widget=FilesInput(attrs={"accept": ".pdf,.csv,application/pdf,text/csv"}),
            help_text="PDF or CSV, up to 20 MB each. Who wrote a PDF, with what and when, is taken out of it",
        )
        self._sent_as: dict[str, str] = {}
        self._assets = self._claimed()
        for asset in self._assets:
            self._add_fields(asset)

    def _claimed(self) -> list[Asset]:
        """The attachments that the form names, in its order, as far as they exist for the person."""
        digests = [found[1] for name in self._names() if (found := _NAME.fullmatch(name))]
        known = self.known().filter(sha256__in=digests, media_type__in=attachments.MEDIA_TYPES)
        assets = {asset.sha256: asset for asset in known} if digests else {}
        return [assets[digest] for digest in dict.fromkeys(digests) if digest in assets]

    def _names(self) -> list[str]:
        return [str(name) for name in self["attachment"].value() or []]

    def known(self) -> QuerySet[Asset]:
        """The files that exist for the person. A digest alone, which somebody got to know, shows nothing."""
        return files.known_to(self.user, self.session)

    def remember(self, asset: Asset) -> None:
        """Let a file that was uploaded just now stay in the form."""
        if self.session is not None:
            files.remember(asset, self.session)

    def _add_fields(self, asset: Asset) -> None:
        title = forms.CharField(required=False, max_length=200, label="Title of a document")
        self.fields[f"attachment_title_{asset.sha256}"] = title
        self.fields[f"attachment_remove_{asset.sha256}"] = forms.BooleanField(required=False)

    def clean_attachments(self, data: dict[str, Any]) -> list[Asset]:
        """What is attached once the boxes were heeded and the new files stored; the form shows it so."""
        if set(self._names()) - {asset.name for asset in self._assets}:
            self.add_error("attachment_files", f"{_GONE}.")
        kept = [asset for asset in self._assets if not data.get(f"attachment_remove_{asset.sha256}")]
        for asset in set(self._assets) - set(kept):
            for name in (f"attachment_title_{asset.sha256}", f"attachment_remove_{asset.sha256}"):
                del self.fields[name]
                self.errors.pop(name, None)
        for file in data.get("attachment_files") or []:
            stored = self._stored(file)
            if stored and stored not in kept:
                self._sent_as[stored.sha256] = str(file.name)
                kept.append(stored)
                self._add_fields(stored)
        if len(kept) > attachments.MOST:
            self.add_error("attachment_files", f"A story can have {attachments.MOST} documents at most.")
        self._assets = kept
        self._show(kept)
        return kept

    def _stored(self, file: UploadedFile) -> Asset | None:
        try:
            asset = attachments.store(file, self.user)
        except attachments.AttachmentRefused as refusal:
            self.add_error("attachment_files", f"“{file.name}” was not taken. {refusal}")
            return None
        self.remember(asset)
        return asset

    def _show(self, assets: Iterable[Asset]) -> None:
        data = cast(QueryDict, self.data).copy()
        data.setlist("attachment", [asset.name for asset in assets])
        for name in [name for name in data if name.startswith("attachment_remove_")]:
            del data[name]
        self.data = data

    def only_files(self) -> None:
        """Forget what else is wrong: files were to be uploaded, and nothing saved."""
        for name in self.errors.keys() - {"picture", "attachment_files"}:
            del self.errors[name]

    @property
    def rows(self) -> list[Row]:
        """The attachments that the form holds now."""
        return [
            Row(
                asset,
                self[f"attachment_title_{asset.sha256}"],
                self[f"attachment_remove_{asset.sha256}"],
                self._sent_as.get(asset.sha256, ""),
                asset.sha256 == next(iter(self._sent_as), ""),
            )
            for asset in self._assets
        ]

    def attached(self) -> list[dict[str, Any]]:
        """The attachments in the shape of a revision's content."""
        return [
            {
                "sha256": asset.sha256,
                "name": asset.name,
                "title": " ".join(self.cleaned_data.get(f"attachment_title_{asset.sha256}", "").split()),
                "media_type": asset.media_type,
                "size": asset.size,
            }
            for asset in self._assets
        ]


def attachments_initial(attached: list[dict[str, Any]]) -> dict[str, Any]:
    """What the form shows for the attachments of a revision."""
    titles = {f"attachment_title_{one['sha256']}": one["title"] for one in attached}
    return {"attachment": [one["name"] for one in attached], **titles}
