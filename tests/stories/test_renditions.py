"""The renditions of a picture: what is drawn, for whom it exists, and that it shows nothing else."""

from hashlib import sha256
from io import BytesIO

import pytest
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageDraw

from stories import files, pictures, record, renditions, tasks
from stories.models import Asset, Rendition
from tests.newsroom.test_public import pictured

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_draws() -> None:
    cache.clear()


def view(size: tuple[int, int] = (1600, 900), mode: str = "RGB") -> Image.Image:
    """A landscape, with something in it that can be told from something else."""
    image = Image.linear_gradient("L").resize(size).convert("RGB").convert(mode)
    draw = ImageDraw.Draw(image)
    draw.ellipse((size[0] // 2, size[1] // 4, size[0] // 2 + 90, size[1] // 4 + 90), fill="orange")
    draw.rectangle((size[0] // 8, size[1] // 2, size[0] // 4, size[1] - 40), fill="navy")
    return image


def stored(newsroom, kind: str = "JPEG", size: tuple[int, int] = (1600, 900), mode: str = "RGB") -> Asset:
    file = BytesIO()
    view(size, mode).save(file, kind)
    file.seek(0)
    return pictures.store(file, newsroom.drafter)


def drawn(asset: Asset) -> set[tuple[str, int, int]]:
    return set(asset.renditions.values_list("media_type", "width", "height"))


# What is drawn


@pytest.mark.parametrize(("kind", "own"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_each_width_below_its_own_in_each_format(newsroom, kind, own):
    asset = stored(newsroom, kind)
    assert renditions.draw(asset) == 11
    below = {(480, 270), (720, 405), (1080, 608)}
    widths = {"image/avif": {*below, (1600, 900)}, "image/webp": {*below, (1600, 900)}, own: below}
    assert drawn(asset) == {(kind, *size) for kind, sizes in widths.items() for size in sizes}


def test_a_webp_picture_has_no_third_format(newsroom):
    asset = stored(newsroom, "WEBP", (500, 300))
    assert renditions.draw(asset) == 1
    assert drawn(asset) == {("image/avif", 500, 300)}


def test_none_is_wider_than_its_picture_or_hardly_narrower(newsroom):
    assert renditions.widths(stored(newsroom, size=(500, 300))) == [500]
    assert renditions.widths(stored(newsroom, size=(1601, 900))) == [480, 720, 1080, 1440, 1601]
    assert renditions.widths(stored(newsroom, size=(1500, 900))) == [480, 720, 1080, 1500]
    assert renditions.widths(stored(newsroom, size=(4000, 900))) == [480, 720, 1080, 1440, 1920]


def test_each_lies_under_the_hash_of_its_bytes_and_is_of_its_type_and_size(newsroom):
    asset = stored(newsroom)
    renditions.draw(asset)
    for rendition in asset.renditions.all():
        data = files.path_of(rendition).read_bytes()
        assert (sha256(data).hexdigest(), len(data)) == (rendition.sha256, rendition.size)
        with Image.open(BytesIO(data)) as image:
            assert image.size == (rendition.width, rendition.height)
            assert Image.MIME[str(image.format)] == rendition.media_type


def test_the_small_ones_take_a_small_part_of_the_bytes(newsroom):
    asset = stored(newsroom)
    renditions.draw(asset)
    small = asset.renditions.get(media_type="image/avif", width=480)
    assert small.size < asset.size / 4


def test_what_can_be_seen_through_stays_so(newsroom):
    file = BytesIO()
    image = Image.new("RGBA", (600, 300), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, 300, 300), fill="red")
    image.save(file, "PNG")
    file.seek(0)
    asset = pictures.store(file, newsroom.drafter)
    renditions.draw(asset)
    for rendition in asset.renditions.all():
        with Image.open(files.path_of(rendition)) as shown:
            seen = shown.convert("RGBA")
        assert seen.getpixel((rendition.width - 5, 5))[3] == 0
        assert seen.getpixel((5, 5))[3] == 255
    assert list(renditions.faults()) == []


def test_nothing_that_came_with_a_picture_is_in_any(newsroom):
    exif = Image.Exif()
    exif[0x013B] = "Canary Owner"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    file = BytesIO()
    view().save(file, "JPEG", exif=exif, comment=b"Canary", xmp=b"<x:xmpmeta>Canary</x:xmpmeta>")
    file.seek(0)
    asset = pictures.store(file, newsroom.drafter)
    renditions.draw(asset)
    for each in (asset, *asset.renditions.all()):
        data = files.path_of(each).read_bytes()
        assert b"anary" not in data
        assert b"Exif" not in data
        with Image.open(BytesIO(data)) as image:
            assert not image.getexif()


def test_the_same_picture_gives_the_same_bytes(newsroom):
    asset = stored(newsroom)
    assert [sha256(data).hexdigest() for *_, data in renditions._drawn(asset)] == [
        sha256(data).hexdigest() for *_, data in renditions._drawn(asset)
    ]


# Facts


def test_they_are_drawn_once(newsroom):
    asset = stored(newsroom, size=(500, 300))
    assert (renditions.draw(asset), renditions.draw(asset)) == (2, 0)


@pytest.mark.parametrize("role", ["default", "owner"])
def test_none_is_added_changed_or_taken_away(live_newsroom, role):
    asset = stored(live_newsroom, size=(500, 300))
    renditions.draw(asset)
    table = "stories_rendition"
    columns = "asset_id, recipe, media_type, width, height, sha256, size"
    for attack in (
        f"INSERT INTO {table} ({columns}) VALUES ({asset.pk}, 1, 'image/gif', 20, 10, repeat('a', 64), 1)",
        f"UPDATE {table} SET sha256 = repeat('a', 64)",
        f"DELETE FROM {table}",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(role), connections[role].cursor() as cursor:
            cursor.execute(attack)
    assert asset.renditions.count() == 2


test_none_is_added_changed_or_taken_away = pytest.mark.django_db(transaction=True)(
    test_none_is_added_changed_or_taken_away
)


@pytest.mark.parametrize("wrong", [{"width": 501}, {"width": 0}, {"media_type": "text/html"}])
def test_what_is_no_rendition_is_refused(newsroom, wrong):
    asset = stored(newsroom, size=(500, 300))
    about = {"media_type": "image/avif", "width": 480, "height": 288, "sha256": "a" * 64, "size": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        Rendition.objects.create(asset=asset, recipe=1, **{**about, **wrong})


def test_an_attachment_has_none(newsroom):
    table = files.keep(b"a,b\n1,2\n", "text/csv", newsroom.drafter)
    assert not renditions.undrawn().exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Rendition.objects.create(
            asset=table, recipe=1, media_type="image/avif", width=1, height=1, sha256="a" * 64, size=1
        )


# The proof that they show what was cleared


def test_the_record_is_whole_with_them(newsroom):
    renditions.draw(stored(newsroom))
    renditions.draw(stored(newsroom, "PNG", (700, 400)))
    assert list(record.verify()) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_encoding_loses_is_no_fault(newsroom, kind):
    """Letters in every colour, and noise: what is hardest to keep."""
    file = BytesIO()
    worst = Image.merge("RGB", [Image.effect_noise((540, 400), 100) for _ in range(3)])
    draw = ImageDraw.Draw(worst)
    draw.rectangle((0, 0, 300, 400), fill="white")
    for row in range(40):
        fill = ("red", "blue", "black", "green", "magenta")[row % 5]
        draw.text((row % 7 * 9, row * 10), f"{row * 7919} 1,234,567.89 and more", fill=fill, font_size=12)
    worst.save(file, kind, quality=95)
    file.seek(0)
    renditions.draw(pictures.store(file, newsroom.drafter))
    assert Rendition.objects.exists()
    assert list(renditions.faults()) == []


def test_changed_bytes_are_found(newsroom):
    asset = stored(newsroom, size=(500, 300))
    renditions.draw(asset)
    rendition = asset.renditions.first()
    files.path_of(rendition).write_bytes(b"something else")
    assert list(renditions.faults()) == [f"the bytes of rendition {rendition.name} were changed"]


@pytest.mark.parametrize("word", ["something else", "another number"])
def test_another_picture_is_found(newsroom, word):
    """Whoever can write into the table and the folder can put it there, and not for long."""
    file, chart = BytesIO(), Image.new("RGB", (900, 600), "white")
    other = chart.copy()
    ImageDraw.Draw(chart).text((620, 420), "1,250", fill="black", font_size=20)
    chart.save(file, "PNG")
    file.seek(0)
    asset = pictures.store(file, newsroom.drafter)
    if word == "another number":
        ImageDraw.Draw(other).text((620, 420), "1,850", fill="black", font_size=20)
    out = BytesIO()
    other.save(out, "WEBP", quality=90)
    data = out.getvalue()
    forged = Rendition(
        asset=asset, recipe=1, media_type="image/webp", width=900, height=600,
        sha256=sha256(data).hexdigest(), size=len(data),
    )  # fmt: skip
    files.write(files.path_of(forged), data)
    forged.save()
    assert list(renditions.faults()) == [f"rendition {forged.name} does not show picture {asset.name}"]


# Who draws


def test_the_task_draws_what_is_not_drawn_and_skips_what_it_cannot(newsroom):
    lost, there = stored(newsroom, size=(500, 300)), stored(newsroom, "PNG", (300, 200))
    files.path_of(lost).unlink()
    assert tasks.draw() == 1
    assert (there.renditions.count(), lost.renditions.count()) == (2, 0)
    # It is left alone for a while, and then tried again.
    assert tasks.draw() == 0
    cache.clear()
    stored(newsroom, size=(500, 300))
    assert tasks.draw() == 1
    assert lost.renditions.count() == 2


def test_one_at_a_time_draws(newsroom):
    stored(newsroom, size=(300, 200))
    cache.add(tasks.TURN, "taken", 60)
    assert tasks.draw() == 0
    cache.delete(tasks.TURN)
    assert tasks.draw() == 1


def test_looking_for_pictures_without_takes_one_query(newsroom, django_assert_num_queries):
    for width in (300, 310, 320):
        renditions.draw(stored(newsroom, size=(width, 200)))
    with django_assert_num_queries(1):
        assert tasks.draw() == 0


# For whom they exist


def test_they_exist_for_whom_their_picture_exists(newsroom, as_):
    asset = stored(newsroom, size=(500, 300))
    renditions.draw(asset)
    for rendition in asset.renditions.all():
        path = reverse("staff_media", args=[rendition.name])
        response = as_(newsroom.drafter).get(path)
        assert response["Content-Type"] == rendition.media_type
        assert b"".join(response) == files.path_of(rendition).read_bytes()
        # Of a picture that no story shows only whoever uploaded it knows.
        assert as_(newsroom.lawyer).get(path).status_code == 404
    newsroom.draft(picture=pictured(asset))
    assert b"".join(as_(newsroom.lawyer).get(path)) == files.path_of(rendition).read_bytes()
    assert Client().get(reverse("media", args=[rendition.name])).status_code == 404


@pytest.mark.parametrize("ending", ["jpg", "webp", "html"])
def test_a_name_with_another_ending_is_none(newsroom, as_, ending):
    asset = stored(newsroom, size=(500, 300))
    renditions.draw(asset)
    name = f"{asset.renditions.get(media_type='image/avif').sha256}.{ending}"
    assert as_(newsroom.drafter).get(f"/desk/media/{name}").status_code == 404


def test_where_the_bytes_of_one_are_lost_the_picture_is_sent(newsroom, as_):
    asset = stored(newsroom, size=(500, 300))
    renditions.draw(asset)
    rendition = asset.renditions.get(media_type="image/avif")
    files.path_of(rendition).unlink()
    response = as_(newsroom.drafter).get(reverse("staff_media", args=[rendition.name]))
    assert response["Content-Type"] == "image/jpeg"
    assert b"".join(response) == files.path_of(asset).read_bytes()
    assert list(record.verify()) == []
