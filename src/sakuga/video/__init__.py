"""A video in, a video out: every frame stylized once and kept at its own time, sound and subtitles copied untouched."""

from typing import TYPE_CHECKING

from sakuga.video.options import CONTAINERS, SUFFIXES, VideoOptions, is_pattern, is_sequence, is_video_target

__all__ = ["CONTAINERS", "SUFFIXES", "VideoOptions", "is_pattern", "is_sequence", "is_video_target", "stylize_video"]

if TYPE_CHECKING:
    from sakuga.video.stylize import stylize_video
else:

    def __getattr__(name):
        """Import the work itself when it is first used: the command's help needs the options alone."""
        if name != "stylize_video":
            raise AttributeError(f"module 'sakuga.video' has no attribute {name!r}")
        from sakuga.video.stylize import stylize_video

        globals()[name] = stylize_video
        return stylize_video
