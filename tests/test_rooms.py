"""Data flows from drafting to clearance to release, and no foreign key points the other way."""

from django.apps import apps

ROOMS = ["stories", "approvals", "newsroom"]


def test_no_foreign_key_points_to_a_room_above():
    upward = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation
        and not field.auto_created
        and model._meta.app_label in ROOMS
        and field.related_model._meta.app_label in ROOMS
        and ROOMS.index(field.related_model._meta.app_label) > ROOMS.index(model._meta.app_label)
    ]
    assert upward == []
