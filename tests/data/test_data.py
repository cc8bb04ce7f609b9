"""Collections of pictures, pairs, smoothed edges, superpixels."""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakuga.data.columns import Crop
from sakuga.data.dataset import by_area, place_crops
from sakuga.data.derived.edges import smooth_edges
from sakuga.data.derived.segments import Segments, superpixels
from sakuga.data.images import find_images, load_image, unreadable
from sakuga.data.pairs import load_pairs
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError


def noise(height=40, width=60, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


class TestPictures:
    def test_of_a_tree_in_order(self, tmp_path):
        for i, name in enumerate(("b.png", "a/c.png", "a/d.PNG")):
            save(tmp_path / name, noise(seed=i))
        (tmp_path / "notes.txt").write_text("no picture")
        pictures = Pictures([tmp_path])
        assert [p.name for p in pictures.paths] == ["c.png", "d.PNG", "b.png"]
        np.testing.assert_array_equal(pictures[2], noise(seed=0))
        assert [p.shape for p in pictures[:2]] == [(40, 60, 3)] * 2

    def test_hidden_files_are_taken_only_by_name(self, tmp_path):
        seen = save(tmp_path / "Ünïcødé 写真 (1)" / "a.b.png", noise())
        hidden = save(seen.with_name(".sakuga-0123456789ab.png"), noise())
        assert find_images([tmp_path]) == [seen]
        assert find_images([tmp_path, hidden]) == [seen, hidden]
        seen.unlink()
        with pytest.raises(UsageError, match="no picture found"):
            find_images([tmp_path])

    def test_sizes_are_known_before_reading(self, tmp_path):
        save(tmp_path / "wide.png", noise(40, 61))
        save(tmp_path / "tall.png", noise(70, 30))
        lying = Image.Exif()
        lying[0x0112] = 6
        save(tmp_path / "lying.png", noise(20, 50), exif=lying.tobytes())
        for options in (
            {},
            {"max_side": 33},
            {"short_side": 24},
            {"short_side": 90, "max_side": 100},
            {"half": "left"},
        ):
            pictures = Pictures([tmp_path], **options)
            for picture, size in zip(pictures, pictures.sizes, strict=True):
                assert np.abs(np.subtract(picture.shape[:2], size)).max() <= 1, options

    def test_without_room_they_are_read_again(self, tmp_path):
        for i in range(3):
            save(tmp_path / f"{i}.png", noise(seed=i))
        pictures = Pictures([tmp_path], keep=noise().nbytes * 2)
        assert pictures[0] is pictures[0]
        assert pictures[2] is not pictures[2]
        np.testing.assert_array_equal(pictures[2], noise(seed=2))

    def test_a_picture_that_is_replaced_meanwhile(self, tmp_path):
        path = save(tmp_path / "a.png", noise())
        pictures = Pictures([tmp_path], keep=0)
        save(path, noise(20, 60))
        with pytest.raises(SakugaError, match=r"a\.png is not of the size"):
            pictures[0]

    def test_reading_is_announced(self, tmp_path, capsys):
        save(tmp_path / "a.png", noise())
        Pictures([tmp_path])
        assert f"reading 1 pictures of {tmp_path}" in capsys.readouterr().err

    def test_halves(self, tmp_path):
        save(tmp_path / "pair.png", np.concatenate([noise(seed=1), noise(seed=2)], axis=1))
        np.testing.assert_array_equal(Pictures([tmp_path], half="left")[0], noise(seed=1))
        np.testing.assert_array_equal(Pictures([tmp_path], half="right")[0], noise(seed=2))

    def test_a_key_changes_with_file_and_scaling(self, tmp_path):
        path = save(tmp_path / "a.png", noise())
        keys = {Pictures([path]).key(0), Pictures([path], short_side=20).key(0), Pictures([path], half="left").key(0)}
        save(path, noise(50, 50))
        assert len(keys | {Pictures([path]).key(0)}) == 4
        assert Pictures([path]).key(0) == Pictures([path]).key(0)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [(b"", "is empty"), (b"not a picture", "is not a picture"), (None, "is damaged or truncated")],
    )
    def test_what_cannot_be_read_is_named(self, tmp_path, content, sentence):
        path = save(tmp_path / "bad.png", noise())
        path.write_bytes(path.read_bytes()[:500] if content is None else content)
        with pytest.raises(SakugaError, match=rf"bad\.png {sentence}.*: "):
            Pictures([tmp_path])

    def test_every_format_that_is_stylised_is_trained_on(self, tmp_path):
        Image.fromarray(noise()).save(tmp_path / "a.avif")
        Image.fromarray(noise()).save(tmp_path / "b.gif", save_all=True, append_images=[Image.new("RGB", (60, 40))])
        for name in ("c.jfif", "d.jpe", "e.tga", "f.jp2", "g.dib", "h.jpf", "i.rgb", "j.ppm"):
            save(tmp_path / name, noise())
        pictures = Pictures([tmp_path], keep=0)
        assert [path.name[0] for path in pictures.paths] == list("abcdefghij")
        assert [picture.shape for picture in pictures] == [(40, 60, 3)] * 10 == [(*s, 3) for s in pictures.sizes]
        assert np.abs(pictures[1].astype(int) - noise()).mean() < 40  # the first frame, not the black one

    def test_a_program_is_never_started_for_a_picture(self, tmp_path, monkeypatch):
        """Pillow would start Ghostscript for an EPS, whatever its suffix says."""
        Image.fromarray(noise()).save(tmp_path / "a.png", "EPS")
        monkeypatch.setattr("subprocess.Popen", None)
        with pytest.raises(SakugaError, match=r"a\.png is not a picture in a format that can be read"):
            load_image(tmp_path / "a.png")
        with pytest.raises(SakugaError, match=r"a\.png is not a picture in a format that can be read"):
            Pictures([tmp_path])

    def test_linked_folders_are_searched_once(self, tmp_path):
        save(tmp_path / "photos" / "own.png", noise())
        save(tmp_path / "elsewhere" / "far.png", noise())
        (tmp_path / "photos" / "linked").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "photos" / "again").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "photos")
        found = find_images([tmp_path / "photos"])
        assert [path.relative_to(tmp_path / "photos").as_posix() for path in found] == ["again/far.png", "own.png"]

    def test_a_folder_that_cannot_be_read_is_left_out_and_named(self, tmp_path):
        save(tmp_path / "photos" / "a.png", noise())
        long = tmp_path / "photos"
        with contextlib.chdir(long):
            for _ in range(20):  # deeper than a path may be long
                os.mkdir("x" * 250)
                os.chdir("x" * 250)
        assert find_images([tmp_path / "photos"]) == [tmp_path / "photos" / "a.png"]
        (sentence,) = unreadable([tmp_path / "photos"])
        assert sentence.endswith("x cannot be read (File name too long): what is in it is left out")
        (tmp_path / "photos" / "a.png").unlink()
        with pytest.raises(SakugaError, match=r"x cannot be read \(File name too long\).*, and nothing else is there"):
            find_images([tmp_path / "photos"])

    @pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="a device of Unix")
    def test_what_is_neither_a_file_nor_a_folder_is_not_said_to_be_missing(self):
        with pytest.raises(UsageError, match=r"^/dev/null is neither a file nor a folder: name a folder of pictures"):
            find_images(["/dev/null"])

    def test_every_mode_becomes_rgb(self, tmp_path):
        grey = noise()[..., 0]
        save(tmp_path / "grey.png", grey)
        np.testing.assert_array_equal(load_image(tmp_path / "grey.png"), np.dstack([grey] * 3))
        for name in ("deep.png", "deep.tif"):
            save(tmp_path / name, grey.astype(np.uint16) * 257)
            np.testing.assert_array_equal(load_image(tmp_path / name), np.dstack([grey] * 3))
        sprite = np.dstack([noise(), np.where(grey > 127, 255, 0).astype(np.uint8)])
        save(tmp_path / "sprite.png", sprite)
        shown = load_image(tmp_path / "sprite.png")
        np.testing.assert_array_equal(shown[grey > 127], noise()[grey > 127])
        assert (shown[grey <= 127] == 255).all()


def draw_crops(pictures, *, size, count, seed=0, mirror=True):
    sizes, rng = [picture.shape[:2] for picture in pictures], np.random.default_rng(seed)
    return place_crops(by_area(sizes, count, rng), sizes, size=size, rng=rng, mirror=mirror)


class TestCrops:
    def test_aligned_and_from_anywhere(self):
        place = np.dstack([*np.mgrid[0:40, 0:60], np.zeros((40, 60))]).astype(np.uint8)
        seen = set()
        for crop in draw_crops([place], size=16, count=400):
            part = crop.cut(place)
            assert part.shape == (16, 16, 3)
            assert (part[0, 0, 0], part[0, 0, 1]) == (crop.top, crop.left + (15 if crop.mirrored else 0))
            seen.add((crop.top, crop.left))
        assert {top for top, _ in seen} == set(range(25))
        assert {left for _, left in seen} == set(range(45))

    def test_without_mirrors_they_are_the_same_otherwise(self):
        pictures = [np.zeros((40, 50, 3), np.uint8)]
        mirrored, plain = (draw_crops(pictures, size=16, count=20, mirror=mirror) for mirror in (True, False))
        assert {crop.mirrored for crop in mirrored} == {True, False}
        assert plain == [replace(crop, mirrored=False) for crop in mirrored]

    def test_labels_are_cut_like_pictures(self):
        labels = np.arange(40 * 60).reshape(40, 60)
        (crop,) = draw_crops([noise()], size=64, count=1)
        assert crop.cut(labels).shape == (64, 64)


class TestPairs:
    def test_two_folders(self, tmp_path):
        for name, suffix in (("photo", "jpg"), ("art", "png")):
            for i in range(2):
                save(tmp_path / name / "x" / f"{i}.{suffix}", noise(seed=i))
        photos, art = load_pairs(tmp_path / "photo", tmp_path / "art")
        assert [p.stem for p in photos.paths] == [p.stem for p in art.paths] == ["0", "1"]

    def test_a_name_without_partner(self, tmp_path):
        save(tmp_path / "photo" / "1.png", noise())
        save(tmp_path / "photo" / "2.png", noise())
        save(tmp_path / "art" / "1.png", noise())
        with pytest.raises(UsageError, match=r"photo.2 has no partner in .*art \(1 such names\)"):
            load_pairs(tmp_path / "photo", tmp_path / "art")

    def test_partners_of_another_shape(self, tmp_path):
        save(tmp_path / "photo" / "1.png", noise(40, 60))
        save(tmp_path / "art" / "1.png", noise(60, 40))
        with pytest.raises(UsageError, match=r"1\.png is 60x40 but its partner 40x60"):
            load_pairs(tmp_path / "photo", tmp_path / "art")

    def test_portraits_side_by_side(self, tmp_path):
        """The whole is wider than tall, its halves are not."""
        save(tmp_path / "pair.png", np.concatenate([noise(60, 32, seed=1), noise(60, 32, seed=2)], axis=1))
        for pictures in load_pairs(tmp_path, None, short_side=16):
            assert pictures.sizes == [(30, 16)]
            assert pictures[0].shape == (30, 16, 3)

    def test_one_too_narrow_to_be_halved(self, tmp_path):
        save(tmp_path / "thin.png", noise()[:, :1])
        with pytest.raises(SakugaError, match=r"thin.png is too narrow to be halved"):
            load_pairs(tmp_path, None)

    def test_a_name_twice(self, tmp_path):
        for name in ("photo/1.png", "photo/1.bmp", "art/1.png"):
            save(tmp_path / name, noise())
        with pytest.raises(UsageError, match=r"1\.png and 1\.bmp have the same name"):
            load_pairs(tmp_path / "photo", tmp_path / "art")

    def test_names_with_dots(self, tmp_path):
        for i, name in enumerate(("x", "x.k")):
            save(tmp_path / "photo" / f"{name}.png", noise(seed=i))
            save(tmp_path / "art" / f"{name}.bmp", noise(seed=i))
        for photo, art in zip(*load_pairs(tmp_path / "photo", tmp_path / "art"), strict=True):
            np.testing.assert_array_equal(photo, art)

    def test_side_by_side(self, tmp_path):
        save(tmp_path / "pair.png", np.concatenate([noise(seed=1), noise(seed=2)], axis=1))
        left, right = load_pairs(tmp_path, None)
        np.testing.assert_array_equal(left[0], noise(seed=1))
        np.testing.assert_array_equal(right[0], noise(seed=2))


class TestEdges:
    def test_an_edge_is_blurred_and_flat_areas_stay(self):
        step = np.zeros((32, 32, 3), np.uint8)
        step[:, 16:] = 200
        smoothed = smooth_edges(step)
        np.testing.assert_array_equal(smoothed[:, :12], step[:, :12])
        np.testing.assert_array_equal(smoothed[:, 20:], step[:, 20:])
        # Weights 1, 4, 6, 4, 1 over 16. The pixel beside the edge sees the two of the other side: 200 · 5 / 16 = 62.5.
        assert smoothed[16, 15, 0] == 63
        assert smoothed[16, 16, 0] == 138  # 200 · 11 / 16 = 137.5

    def test_faint_edges_are_left(self):
        step = np.full((32, 32, 3), 100, np.uint8)
        step[:, 16:] = 110  # Sobel: 4 · 10 = 40 < 100
        np.testing.assert_array_equal(smooth_edges(step), step)


class TestSegments:
    def test_two_areas_are_not_mixed(self):
        halves = np.zeros((64, 64, 3), np.uint8)
        halves[:, 32:] = 250
        labels = superpixels(halves)
        # 200 · 64² / 256² = 12.5 segments wanted.
        assert 4 <= labels.max() + 1 <= 20
        assert not set(labels[:, :30].ravel()) & set(labels[:, 34:].ravel())

    def test_they_are_made_once(self, tmp_path, monkeypatch):
        for i in range(2):
            save(tmp_path / "photos" / f"{i}.png", noise(seed=i))
        pictures = Pictures([tmp_path / "photos"])
        files = Segments(pictures, tmp_path / "cache").files
        np.testing.assert_array_equal(np.load(files[1]), superpixels(pictures[1]))
        monkeypatch.setattr("sakuga.data.derived.segments.process_pool", None)  # not needed again
        assert Segments(pictures, tmp_path / "cache").files == files

    @pytest.mark.parametrize("left", [0, 50, 1000])
    def test_what_is_damaged_is_made_again(self, tmp_path, left):
        for i in range(2):
            save(tmp_path / "photos" / f"{i}.png", noise(seed=i))
        pictures = Pictures([tmp_path / "photos"])
        whole, damaged = Segments(pictures, tmp_path / "cache").files
        before, made = damaged.read_bytes(), whole.stat().st_mtime_ns
        damaged.write_bytes(before[:left])
        Segments(pictures, tmp_path / "cache")
        assert damaged.read_bytes() == before
        assert whole.stat().st_mtime_ns == made

    @pytest.mark.parametrize("left", [None, 0, 50, 1000])
    def test_what_is_damaged_later_is_named(self, tmp_path, left):
        save(tmp_path / "photos" / "a.png", noise())
        segments = Segments(Pictures([tmp_path / "photos"]), tmp_path / "cache")
        (file,) = segments.files
        if left is None:
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:left])
        with pytest.raises(SakugaError, match=rf"{file.name} is gone or damaged: the same command"):
            segments.take(Crop(0, 0, 0, 8, False))
