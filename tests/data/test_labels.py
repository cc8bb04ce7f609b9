"""Labels from folders and tables: what they are, and what is said of those that cannot be."""

from pathlib import Path

import numpy as np
import pytest

from sakuga.data.labels import Labels
from sakuga.errors import SakugaError, UsageError


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


class TestFolders:
    def test_a_folder_for_each_class(self, tmp_path):
        paths = touch(tmp_path, "dog/1.png", "cat/2.png", "cat/old/3.png")
        labels = Labels.from_folders([tmp_path], paths)
        assert labels.names == ("cat", "dog")
        assert labels.values.dtype == np.int64
        assert labels.values.tolist() == labels.classes.tolist() == [1, 0, 0]

    def test_several_folders_share_their_classes(self, tmp_path):
        paths = touch(tmp_path, "a/dog/1.png", "b/cat/2.png", "b/dog/1.png")
        assert Labels.from_folders([tmp_path / "a", tmp_path / "b"], paths).values.tolist() == [1, 0, 1]

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            (("cat/1.png", "2.png"), r"2.png lies in no class's folder: move it into one"),
            (("cat/1.png", "cat/2.png"), "all pictures are of one class, cat: at least two"),
            (("cat/1.png", "dog/2.png", "empty/notes.txt"), "the class empty has no picture: add some"),
        ],
    )
    def test_what_cannot_be(self, files, said, tmp_path):
        paths = [path for path in touch(tmp_path, *files) if path.suffix == ".png"]
        with pytest.raises(UsageError, match=said):
            Labels.from_folders([tmp_path], paths)


class TestTables:
    def read(self, folder, text, *files, **options):
        paths = touch(folder, *(files or ("1.png", "2.png")))
        table = folder / "labels.csv"
        table.write_text(text, encoding="utf-8")
        return Labels.from_csv(table, paths, **options)

    def test_attributes(self, tmp_path):
        labels = self.read(tmp_path, "file,hat,beard\n2.png, 1,-1\n1.png,0 ,1\n")
        assert labels.names == ("hat", "beard")
        assert labels.classes is None
        assert labels.values.dtype == np.float32
        assert labels.values.tolist() == [[0, 1], [1, 0]]

    def test_chosen_attributes_in_their_order(self, tmp_path):
        labels = self.read(tmp_path, "file,hat,beard,age\n1.png,0,1,x\n2.png,1,0,y\n", names=("beard", "hat"))
        assert labels.names == ("beard", "hat")
        assert labels.values.tolist() == [[1, 0], [0, 1]]

    def test_a_column_of_classes(self, tmp_path):
        labels = self.read(tmp_path, "\ufefffile,kind\n1.png,old man\n2.png,child\n")
        assert labels.names == ("child", "old man")
        assert labels.classes.tolist() == [1, 0]

    def test_names_by_any_part_of_the_path(self, tmp_path):
        files = ("a/1.png", "b/1.png", "b/2.png")
        labels = self.read(tmp_path, "file,kind\na/1.png,x\nb/1.png,y\n2.png,y\n", *files)
        assert labels.classes.tolist() == [0, 1, 1]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "has no labels: its first line must read"),
            ("file,hat\n", "has no labels"),
            ("file\n1.png\n", "has no labels"),
            ("file,hat,hat\n1.png,1,0\n2.png,0,1\n", "has two columns hat"),
            ("file,hat,\n1.png,1,0\n2.png,0,1\n", "column 3 has no name that can be shown"),
            ("file,h\x07t\n1.png,1\n2.png,0\n", "column 2 has no name that can be shown"),
            ("file,hat\n1.png,1,0\n2.png,0\n", "line 2: 3 cells where the header has 2"),
            ("file,hat,beard\n1.png,1,0\n2.png,0,2\n", "line 3: beard must be 0 or 1, not '2'"),
            ("file,hat,beard\n1.png,1,\n2.png,0,1\n", "line 2: beard must be 0 or 1, not ''"),
            ("file,hat,beard\n1.png,1,0\n2.png,0,0\n", "beard is never set"),
            ("file,hat,beard\n1.png,1,0\n2.png,1,1\n", "hat is always set"),
            ("file,kind\n1.png,a\n2.png,a\n", "all pictures are of one class, a"),
            ("file,kind\n1.png,a\n2.png,\n", "line 3: 2.png has no class"),
            ('file,kind\n1.png,a\n2.png,"b, c"\n', "the class 'b, c' holds a comma, or what cannot be shown: rename"),
            ("file,kind\n1.png,a\n2.png,b\x07\n", "the class .* holds a comma, or what cannot be shown: rename"),
            ("file,kind\n1.png,a\n", "has no line for .*2.png"),
            ("file,kind\n1.png,a\n2.png,b\n3.png,b\n", "line 4: 3.png is not among the pictures"),
            ("file,kind\n1.png,a\n2.png,b\n1.png,b\n", "line 4: 1.png has other labels in line 2"),
        ],
    )
    def test_what_cannot_be(self, text, said, tmp_path):
        with pytest.raises(UsageError, match=said):
            self.read(tmp_path, text)

    def test_lines_of_pictures_that_exist_elsewhere_are_passed_over(self, tmp_path):
        touch(tmp_path, "3.png")
        assert len(self.read(tmp_path, "file,kind\n1.png,a\n2.png,b\n3.png,b\n")) == 2

    def test_a_name_of_two_pictures(self, tmp_path):
        with pytest.raises(UsageError, match=r"line 2: 1.png can be .*a.1.png or .*b.1.png: write more"):
            self.read(tmp_path, "file,kind\n1.png,x\n", "a/1.png", "b/1.png")

    def test_unknown_columns_and_files(self, tmp_path):
        with pytest.raises(UsageError, match="has no column wings: it has hat"):
            self.read(tmp_path, "file,hat\n1.png,1\n2.png,0\n", names=("wings",))
        with pytest.raises(UsageError, match=r"none.csv cannot be read"):
            Labels.from_csv(tmp_path / "none.csv", [Path("1.png")])
        for content in (b"file,\xff\xfe\n", b"file,hat\n1\0.png,1\n"):
            (tmp_path / "labels.csv").write_bytes(content)
            with pytest.raises(SakugaError, match="is not a table in UTF-8"):
                Labels.from_csv(tmp_path / "labels.csv", [Path("1.png")])
