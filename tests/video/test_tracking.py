"""What is tracked from frame to frame, such as faces: in order, and a later run goes on from its state."""

from types import SimpleNamespace

import numpy as np

from sakuga.video.segments import LENGTH
from sakuga.video.stylizing import FrameStylizer
from sakuga.video.timed_frames import TimedFrame

PHOTOS = [np.full((2, 3, 3), number % 200, np.uint8) for number in range(LENGTH + 30)]
PHOTOS[LENGTH] = PHOTOS[LENGTH - 1]  # one that comes again, where a segment begins
PHOTOS[7] = PHOTOS[6]


class Film:
    info = SimpleNamespace(total=len(PHOTOS))

    def frames(self, skip=0):
        for pts, photo in enumerate(PHOTOS[skip:], skip):
            yield TimedFrame(photo, pts, 1)


class Sum:
    """Finds the sum of all photos so far."""

    def __init__(self):
        self.sum = 0

    def __call__(self, photo):
        self.sum += int(photo[0, 0, 0])
        return self.sum

    def state(self):
        return {"sum": np.array(self.sum)}

    def restore(self, state):
        self.sum = int(state["sum"])


def run(workers=1, **more):
    made = []
    stylize = lambda photo, found: np.full_like(photo, found % 251)  # noqa: E731
    film = FrameStylizer(Film(), stylize, 1, workers=workers, track=Sum(), **more)
    film.run(lambda frames: made.extend((frame.image[0, 0, 0], state) for frame, state in frames))
    return [value for value, _ in made], [state for _, state in made]


def test_it_sees_every_frame_in_order_and_goes_on_from_a_state():
    through, states = run()
    sums = np.cumsum([photo[0, 0, 0] for number, photo in enumerate(PHOTOS) if number != 7])
    assert through == [int(one) % 251 for one in np.insert(sums, 7, sums[6])]
    assert [number for number, state in enumerate(states) if state] == [LENGTH - 1]
    assert run(done=LENGTH, state=states[LENGTH - 1])[0] == through[LENGTH:]
    assert run(workers=3)[0] == through
