"""Classical teachers: filter chains that are slow and sure, for `distill` to make fast. One file is one look."""

from sakuga.teachers.anime import anime
from sakuga.teachers.cel import cel
from sakuga.teachers.comic import comic
from sakuga.teachers.grade import grade
from sakuga.teachers.ink import ink
from sakuga.teachers.oil import oil
from sakuga.teachers.outlines import outlines

__all__ = ["anime", "cel", "comic", "grade", "ink", "oil", "outlines"]
