"""`sakuga compare`: one page that holds all it needs."""

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from made import ODD, SMALL, fill, train
from PIL import Image

from sakuga.cli import main
from sakuga.evaluation.curves import chart
from sakuga.evaluation.runs import differences, read_training

pytestmark = pytest.mark.usefixtures("empty_cache")


class Page(HTMLParser):
    """The elements, and that each is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def compare(*words):
    return main(["compare", *map(str, words), *SMALL])


def test_styles_on_a_page_of_its_own(made_style, photos, style_images, tmp_path, capsys):
    target = tmp_path / ODD / "out"
    names = [made_style("identity"), made_style("blur")]
    words = [*names, "--photos", photos, "--style-images", style_images, "--pictures", 2, "-o", target]
    assert compare(*words) == 0
    assert str(target / "compare.html") in capsys.readouterr().out
    text = (target / "compare.html").read_text(encoding="utf-8")
    page = Page(text)
    # For each of two photos: it and two results, once each, and the two sides of the slider, filled by the script.
    images = page.all("img")
    assert len([i for i in images if i.get("src", "").startswith("data:image/webp;base64,")]) == 6
    assert len([i for i in images if "src" not in i]) == 4
    assert len(page.all("section")) == len([i for i in page.all("div") if i.get("class") == "pair"]) == 2
    assert "class Divider" in text
    # Nothing from elsewhere.
    assert not re.search(r"https?:|//cdn|@import|url\(", text)
    assert page.all("link") == []
    assert "{{" not in text
    assert 'const labels = ["photo", "identity", "blur"]' in text
    # In the row of the detail nothing is best; of the pan's flicker the smaller is.
    rows = dict(re.findall(r"<tr><th>([^<]*)</th>(.*?)</tr>", text))
    assert "★" not in rows["detail"]
    assert rows["flicker[pan] x1000"].count("★") == 1
    assert '<td class="best">0 ★</td>' in rows["flicker[pan] x1000"]
    assert "Trainings" not in text

    with Image.open(target / "compare.png") as sheet:
        # Three columns of 480 with two gaps; a line of labels, two photos of 480 · 80 / 100 and their gaps.
        assert sheet.size == (8 + 3 * 488, 8 + 2 * (384 + 24 + 8))
        assert sheet.getpixel((248, 200)) == sheet.getpixel((248 + 488, 200))  # identity
    facts = json.loads((target / "compare.json").read_text())
    assert [*facts["styles"]] == ["identity", "blur"]

    assert compare(*words) == 1
    assert "exists already" in capsys.readouterr().err
    assert compare(*words, "--overwrite") == 0


def test_trainings(trained, photos, tmp_path, made_style):
    other = train(tmp_path / "<b>&other", photos, "--lr", "0.5")
    page_file = tmp_path / "page.html"
    words = [made_style("identity"), trained, "--runs", other, "--photos", photos, "--pictures", 1, "-o", page_file]
    assert compare(*words) == 0
    text = page_file.read_text(encoding="utf-8")
    page = Page(text)
    assert "<b>" not in text  # a name is no markup, in the script neither
    assert "\\u003cb>&other" in text
    assert page.all("svg")
    rows = dict(re.findall(r"<tr><th>([^<]*)</th>(.*?)</tr>", text))
    assert rows["lr"] == "<td>0.001</td><td>0.5</td>"
    assert rows["steps"] == "<td>4</td><td>4</td>"
    # Photos by batches of two: three and six pictures.
    assert rows["steps per epoch"] == "<td>1.5</td><td>3</td>"
    run = read_training(trained)
    assert f"<td>{run.parameters['generator']:,}</td>" in rows["parameters of generator"]
    assert run.seconds_per_step is not None
    assert 0 < run.seconds_per_step < 60
    assert [step for step, _ in run.curves["G/pixel"]] == [1, 2, 3, 4]
    assert str(tmp_path) not in text


def test_a_chart_by_hand():
    drawn = chart("G/a & b", {"one": [(0, 1.0), (10, 3.0)], "two": [(5, 2.0), (6, float("nan"))]})
    figure = ElementTree.fromstring(drawn)
    lines = [line.get("points") for line in figure.iter("polyline")]
    # Across from 44 to 316; up from 4 + 126 to 4, 126 = 150 - 16 - 8.
    assert lines == ["44.0,130.0 316.0,4.0", "180.0,67.0"]
    assert figure.find("figcaption").text == "G/a & b"
    assert chart("none", {"one": []}) == ""
    long = chart("long", {"one": [(i, float(i)) for i in range(1000)]})
    assert len(ElementTree.fromstring(long).find(".//polyline").get("points").split()) == 200


def test_differences_of_configurations():
    a = {"lr": 0.1, "batch": 4, "photos": ["/home/me/a", "/home/me/b"], "same": None}
    b = {"lr": 0.2, "batch": 4, "photos": ["/home/you/a"], "same": None, "new": True}
    assert differences([a, b]) == {"lr": ["0.1", "0.2"], "new": ["-", "True"], "photos": ["a, b", "a"]}
    assert differences([a]) == {}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-o", "x"], "name two styles or more"),
        (["STYLE", "-o", "x", "--pictures", "0"], "--pictures must be at least 1"),
        (["STYLE", "-o", "FILE"], "is a file; name a folder or a .html file"),
        (["STYLE", "nobody", "-o", "x"], "there is no style 'nobody'"),
    ],
)
def test_wrong_usage(made_style, photos, tmp_path, monkeypatch, words, sentence, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page").touch()
    places = {"STYLE": made_style("identity"), "FILE": "page"}
    assert compare(*(places.get(word, word) for word in words), "--photos", photos) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_bad_photo_is_reported_and_left_out(made_style, tmp_path, capsys):
    photos = fill(tmp_path / "photos", 3)
    (photos / "a.png").write_bytes(b"no picture")
    assert compare(made_style("identity"), "--photos", photos, "-o", tmp_path / "out") == 1
    assert "a.png is not a picture" in capsys.readouterr().err
    assert (tmp_path / "out" / "compare.html").exists()
