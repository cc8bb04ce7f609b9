"""GeNeVA-GAN: a scene is drawn turn by turn, as it is told (El-Nouby, Sharma, Schulz et al., ICCV 2019)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from sakuga.data.columns import Crop, Noise, Rows
from sakuga.data.dataset import Dataset
from sakuga.data.turns import Turns, object_vectors, read_turns, survey, word_places
from sakuga.errors import UsageError
from sakuga.losses import domain_classification, hinge, kl_standard_normal, r1
from sakuga.networks.geneva import (
    ConditionEncoder,
    DialogueState,
    DifferenceDiscriminator,
    Drawer,
    DrawingGenerator,
    ImageEncoder,
    SentenceEncoder,
    TurnHead,
)
from sakuga.style.inputs import Input
from sakuga.systems.artefact import Artefact
from sakuga.systems.base import Batch, Config, Preview, System, Terms, frozen
from sakuga.systems.fields import AtLeast, Count, MultipleOf, Role, Weight
from sakuga.systems.parts.chosen import mean_of
from sakuga.systems.parts.handed_on import HandedOn

MAX_NORM = 50.0
"""Of the gradient of each GRU."""


@dataclass
class GeNeVAConfig(Config):
    """What `sakuga train geneva` can be told; the official code's values, for i-CLEVR."""

    photos: Annotated[tuple[Path, ...], Role("scenes", required=True, of="folder")] = ()
    """A folder of scenes with their table turns.csv, as `sakuga prepare scenes` draws them."""
    crop: Annotated[int, AtLeast(32), MultipleOf(32)] = 128
    """Side to which scenes are scaled, pixels."""
    mirror: bool = False
    """Not here: left is left."""
    batch: Count = 32
    """Scenes in a step, over all processes; each is a whole dialogue."""
    lr: Weight = 1e-4
    """The generator's learning rate."""
    lr_discriminator: Weight = 4e-4
    """The discriminator's learning rate."""
    lr_dialogue: Weight = 3e-4
    """Learning rate of what follows the dialogue."""
    lr_sentence: Weight = 3e-3
    """Learning rate of what reads a sentence."""
    lr_encoders: Weight = 6e-3
    """Learning rate of what sees the picture before, and of the layer between sentence and dialogue."""
    steps: Count = 37_500
    auxiliary: Weight = 5.0
    """Weight of the objects that the discriminator names."""
    aux_target: Literal["new", "all"] = "new"
    """Objects that the generator wants to be named: those of this turn, as the discriminator learns them, or all that
    are there, as in the official code."""
    wrong: Weight = 0.5
    """Weight of the fake, and of the right picture for another instruction, beside the real one's."""
    penalty: Weight = 1.0
    """Weight of the squared gradient at real pictures."""
    divergence: Weight = 1.0
    """Weight of the divergence of what varies an instruction from a normal distribution."""
    dequantize: Weight = 1 / 128
    """Largest number that is added to pictures, anew for each value."""
    noise: Count = 100
    """Numbers that a turn's picture is made of, besides what was said."""
    width: Count = 64
    """Channels of the layers that are next to the picture; of other layers in proportion."""
    hidden: Annotated[int, AtLeast(4), MultipleOf(4)] = 1024
    """Numbers that stand for a sentence and for a dialogue."""
    word: Count = 300
    """Numbers that stand for a word."""
    words: tuple[str, ...] = ()
    """The vocabulary, by default what the table has; its first entry is padding."""
    objects: tuple[str, ...] = ()
    """Names of the objects; by default those that the table has."""
    turns: Annotated[int, AtLeast(0)] = 0
    """Longest dialogue; by default the table's."""
    sentence: Annotated[int, AtLeast(0)] = 0
    """Words of the longest instruction; by default the table's."""


class GeNeVA(System):
    """At turn t the generator sees features of the picture before and h_t, what was said until now.

    L_D = E max(0, 1 - D(x_t, h_t, x_t-1)) + ½ E max(0, 1 + D(G)) + ½ E max(0, 1 + D(wrong)) + λ_aux BCE(x_t)
    + λ_aux BCE(G) + λ_gp E ‖∂D/∂x_t‖²; L_G = -E D(G) + λ_aux BCE(G) + KL. "Wrong" are another dialogue's two pictures.
    The generator is taught on the real picture before; users' dialogues go on from its own.

    Discriminator and generator move every turn. What reads the dialogue learns from L_D alone and what sees the picture
    from L_G alone; both move once after the last turn, by what the updates of all turns left to them.

    Source: the paper, and the official code where they differ: it reads no picture into the dialogue. Its generator
    wants all objects named where its discriminator names the new ones: `aux_target`. It normalises a turn's conditions
    over the batch, this over the batch and all turns, and leaves the dialogue's layer norm as it began. Words are
    learned here; the authors' are GloVe's.
    """

    config: GeNeVAConfig
    name = "geneva"
    Config = GeNeVAConfig
    players = {  # noqa: RUF012
        "D": ["discriminator", "head"],
        "G": ["generator"],
        "E": ["sentence", "condition", "dialogue", "encoder"],
    }
    averaged = ()
    presets = {"codraw": {"penalty": 10.0, "auxiliary": 10.0, "dequantize": 1 / 64}}  # noqa: RUF012

    def __init__(self, config: GeNeVAConfig):
        super().__init__(config)
        c = config
        if not c.words:
            if not c.photos:
                raise UsageError("--photos is missing: name a folder of scenes, as `sakuga prepare scenes` draws them")
            c.words, c.objects, c.turns, c.sentence = survey(read_turns(c.photos[0]))
        self.sentence = SentenceEncoder(len(c.words), words=c.word, hidden=c.hidden)
        self.condition = ConditionEncoder(c.hidden)
        self.dialogue = DialogueState(c.hidden)
        self.encoder = ImageEncoder(c.width)
        self.generator = DrawingGenerator(c.crop, width=c.width, hidden=c.hidden, noise=c.noise)
        self.discriminator = DifferenceDiscriminator(c.width)
        self.head = TurnHead(len(c.objects), width=c.width, hidden=c.hidden)

    def data(self) -> Dataset:
        """Dialogues: their pictures, their words, what is in each picture; and noise for each turn."""
        c = self.config
        dialogues = read_turns(c.photos[0])
        pictures = Turns(dialogues, c.crop)
        columns = {
            "images": pictures,
            "words": Rows(word_places(dialogues, c.words, c.turns, c.sentence)),
            "objects": Rows(object_vectors(dialogues, c.objects, c.turns)),
            "noise": Noise(c.turns, c.noise + c.hidden // 4),
        }
        self.generator.background.copy_(torch.from_numpy(pictures.take(Crop(0, 0, 0, 0, False))[0]))
        return Dataset(columns, c, draw="picture")

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """Every turn a game of its own, then those that read and see."""
        c, words, objects = self.config, batch["words"], batch["objects"]
        images = batch["images"] + c.dequantize * torch.rand_like(batch["images"])
        said = words[:, :, 0] > 0
        states, features = HandedOn(self.listen(words, said)), list[HandedOn]()
        judged, drawn = torch.zeros_like(objects[0, 0, 0]), torch.zeros_like(objects[0, 0, 0])
        for turn in range(words.shape[1]):
            before, real = images[:, turn], images[:, turn + 1].detach().requires_grad_()
            new = (objects[:, turn + 1] - objects[:, turn]).relu()
            state, now = states.leaf[:, turn], said[:, turn]
            features.append(HandedOn(self.encoder(before)))
            fake, mean, logvar = self.generator(batch["noise"][:, turn], state.detach(), features[-1].leaf)

            change = self.discriminator(torch.cat([real, fake.detach()]), before)
            scores, logits = self.head(torch.cat([change, change[: len(real)].roll(-1, 0)]), state)
            right, made, wrong = scores.chunk(3)
            named, named_fake, _ = logits.chunk(3)
            unreal = hinge.fake(made, reduction="none") + hinge.fake(wrong, reduction="none")
            terms = {
                "adversarial": mean_of(hinge.real(right, reduction="none") + c.wrong * unreal, now) + states.share,
                "auxiliary": c.auxiliary * mean_of(_naming(named, new) + _naming(named_fake, new), now),
                "penalty": 2 * c.penalty * mean_of(r1(right, real, reduction="none"), now),
            }
            judged = judged + torch.stack([*terms.values()]).sum().detach()
            yield "D", terms

            with frozen(self.discriminator, self.head):
                score, logits = self.head(self.discriminator(fake, before), state.detach())
            asked = new if c.aux_target == "new" else objects[:, turn + 1]
            terms = {
                "adversarial": mean_of(hinge.g(score, reduction="none"), now) + features[-1].share,
                "auxiliary": c.auxiliary * mean_of(_naming(logits, asked), now),
                "divergence": c.divergence * mean_of(kl_standard_normal(mean, logvar, reduction="none"), now),
            }
            drawn = drawn + torch.stack([*terms.values()]).sum().detach()
            yield "G", terms
        pulled = torch.stack([one.term(drawn / len(features)) for one in features]).sum()
        yield "E", {"language": states.term(judged), "pictures": pulled}

    def listen(self, words: Tensor, said: Tensor) -> Tensor:
        """Places of words (N, turns, L), and which turns there are (N, turns), to states (N, turns, hidden)."""
        sentences = self.sentence(words.flatten(0, 1))
        spoken = self.condition(sentences[said.flatten()])  # what is padding must not enter the batch norm
        conditions = spoken.new_zeros(sentences.shape)
        conditions[said.flatten()] = spoken
        states: Tensor = self.dialogue(conditions.unflatten(0, said.shape))
        return states

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam without first moments for the game; for the others the usual one, with the gradient of a GRU clipped."""
        c, game = self.config, (0.0, 0.9)
        readers = torch.optim.Adam(
            [
                {"params": [*self.sentence.parameters()], "lr": c.lr_sentence},
                {"params": [*self.dialogue.parameters()], "lr": c.lr_dialogue},
                {"params": [*self.condition.parameters(), *self.encoder.parameters()], "lr": c.lr_encoders},
            ]
        )
        readers.register_step_pre_hook(lambda *_: self._clip())
        return {
            "D": torch.optim.Adam(self.weights("D"), c.lr_discriminator, betas=game),
            "G": torch.optim.Adam(self.weights("G"), c.lr, betas=game),
            "E": readers,
        }

    def _clip(self) -> None:
        for network in (self.sentence, self.dialogue):
            nn.utils.clip_grad_norm_(network.parameters(), MAX_NORM)

    def artefact(self, network: str | None = None) -> Artefact:
        """A dialogue of one or more instructions; noise for each of them."""
        c = self.config
        drawer = Drawer(self.sentence, self.condition, self.dialogue, self.encoder, self.generator)
        noise = Input("noise", "noise", size=c.turns * (c.noise + c.hidden // 4))
        text = Input("text", "text", size=c.sentence, names=c.words, sentences=c.turns)
        return Artefact(drawer, (noise, text), size=(c.crop, c.crop))

    def preview(self) -> Preview:
        """As many dialogues as turns, a row for each, after every turn; and pictures at their ends."""
        batch, turns = self.dataset.batch(0), self.config.turns
        words, noise = batch["words"][:turns], batch["noise"][:turns].flatten(1)
        until = torch.ones(turns, turns, dtype=torch.int64).tril()
        text = (words[:, None] * until[None, :, :, None]).flatten(0, 1)
        shown = {"noise": noise.repeat_interleave(turns, 0), "text": text if turns > 1 else text[:, 0]}
        return Preview(shown, batch["images"][:, -1])


def _naming(logits: Tensor, objects: Tensor) -> Tensor:
    """Binary cross-entropy of each sample, the mean over the objects."""
    return domain_classification(logits, objects, reduction="none") / logits.shape[1]
