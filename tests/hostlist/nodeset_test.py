"""Hostlists as ClusterShell 1.9 (Debian's package clustershell) reads and writes them: nodeset_test.py HOSTLIST_EXPAND

Where the two differ, and why, is in DIFFERENCES.
"""

import os
import pathlib
import random
import subprocess
import sys
import unittest

# Without it there is no test: this fails rather than skips.
from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)

# A quarter under a sanitizer, as common/status/test_rounds.h has it.
IS_SHORT = "AUTOPXE_TEST_SANITIZED" in os.environ and "AUTOPXE_TEST_ALL_ROUNDS" not in os.environ
SEEDS = range(100 if IS_SHORT else 400)

# Hostlist -> our names (None: refused), ClusterShell's names (None: refused).
DIFFERENCES = {
    # The width is the lower end's, as in SLURM and in ClusterShell before 1.9. We never write this.
    "cn[08-10,99-100]": ("cn08 cn09 cn10 cn99 cn100", "cn08 cn09 cn10 cn99 cn100"),
    "cn[099-1000/901]": ("cn099 cn1000", None),
    # Brackets beside brackets, as in SLURM. We never write this.
    "cn[1-2][3-4]": ("cn13 cn14 cn23 cn24", None),
    # Digits before a bracket stay what they are, as in SLURM; ClusterShell takes them for a part of both ends. We never write this.
    "cn1[9-10]": ("cn19 cn110", " ".join(f"cn{n}" for n in range(19, 111))),
    "cn0[9-10]": ("cn09 cn010", None),
    # A hostlist that names nobody is a mistake in a command.
    "cn1!cn1": (None, ""),
    "": (None, ""),
    # A MAC's digits are hexadecimal: brackets would leave most out.
    "52:54:00:12:34:[08-10]": (None, "52:54:00:12:34:08 52:54:00:12:34:09 52:54:00:12:34:10"),
    # ClusterShell's groups, wildcards and other operators are not of a hostlist here.
    "cn[1-5]&cn[4-6]": (None, "cn4 cn5"),
    "cn[1-5]^cn[4-6]": (None, "cn1 cn2 cn3 cn6"),
    # Python's int() reads a sign, and ClusterShell has negative numbers.
    "cn[1-+2]": (None, "cn1 cn2"),
    "cn[-1]": (None, "cn-1"),
    "cn[1-2-3]": (None, "cn-2 cn-1 cn0 cn1 cn2 cn3"),
    # Which width was meant, one digit or two?
    "cn[0-00]": (None, "cn0"),
}

# Neither reads these.
MALFORMED = [
    "cn[1-3", "cn]", "cn[1]]", "cn[1[2]]", "cn[]", "cn[1,]", "cn[,1]", "cn[1,,2]", "cn[5-1]", "cn[a-b]", "cn[1-2/0]", "cn[3/2]",
    "cn[1-010]", "cn[001-01]", "cn[001-5]", "a,,b", ",a", "a,", "a!", "!a", "a,!b", "a!,b", "cn[1-]", "cn[a]",
    "cn[0x1]", "cn[1-2/-1]",
]

# Names -> how both fold them.
FOLDED = {
    "cn1": "cn1",
    "cn3 cn1 cn2": "cn[1-3]",
    "cn8 cn9 cn10": "cn[8-10]",
    "cn08 cn09 cn10": "cn[08-10]",
    "cn1 cn01": "cn[1,01]",
    "cn9 cn10 cn05": "cn[9,05,10]",
    "rack1-n01 rack1-n02 rack2-n01 rack2-n02": "rack[1-2]-n[01-02]",
    "r1-n1 r1-n2 r2-n1 r2-n2 r3-n1": "r[1-2]-n[1-2],r3-n1",
    "cn1.example.org cn2.example.org": "cn[1-2].example.org",
    "cn1-5 cn1-6": "cn1-[5-6]",
    "52:54:00:12:34:56": "52:54:00:12:34:56",
}


def expand(hostlists):
    """What our program answers: for each hostlist (names, folded form), or None where it refuses."""
    hostlists = list(hostlists)
    done = subprocess.run([PROGRAM], input="".join(f"{text}\n" for text in hostlists), stdout=subprocess.PIPE, text=True, check=True,
                          timeout=300)
    answers = []
    for line in done.stdout.splitlines():
        word, _, rest = line.partition("\t")
        if word == "refused":
            answers.append(None)
        else:
            names, _, folded = rest.partition("\t")
            answers.append((names.split(" "), folded))
    assert len(answers) == len(hostlists), (len(answers), len(hostlists))
    return answers


def nodeset(text):
    return NodeSet(text, resolver=RESOLVER_NOGROUP)


def nodeset_names(text):
    """What ClusterShell answers: names, or None where it refuses."""
    try:
        return set(nodeset(text))
    except NodeSetException:
        return None


def random_range(rng, most):
    first = rng.randrange(most)
    last = first + rng.choice([0, 1, 2, rng.randrange(most // 3)])
    width = rng.choice([0, 0, 2, 3])
    if width < len(str(last)):
        width = 0  # What ClusterShell 1.9 refuses: DIFFERENCES.
    text = f"{first:0{width}d}"
    if last > first or rng.random() < 0.2:
        text += f"-{last:0{width}d}"
        if rng.random() < 0.2:
            text += f"/{rng.randrange(1, 5)}"
    return text


def random_part(rng, shape, most):
    text = ""
    for piece in shape:
        text += piece
        if piece is not shape[-1]:
            bracket = ",".join(random_range(rng, most) for _ in range(rng.choice([1, 1, 2, 3])))
            text += f"[{bracket}]" if rng.random() < 0.8 else f"{rng.randrange(most):0{rng.choice([1, 1, 2])}d}"
    return text


def random_hostlist(seed):
    """A few parts of one or two shapes, so that they overlap and fold."""
    rng = random.Random(seed)
    shapes = [[rng.choice(["cn", "rack", "n", "a-", "gpu.", "login"])]
              + [rng.choice(["-n", "c", "-", ".x", "u-"]) for _ in range(rng.choice([0, 0, 1, 1, 2]))]
              + [rng.choice(["", "", ".example.org", "-ipmi", "x"])] for _ in range(rng.choice([1, 1, 2]))]
    text = ""
    for i in range(rng.choice([1, 2, 3, 5, 8])):
        shape = rng.choice(shapes)
        # Few, since ClusterShell is slow at folding several dimensions.
        text += (rng.choice(",,!") if i else "") + random_part(rng, shape, 120 if len(shape) == 2 else 12)
    if rng.random() < 0.1:
        text += ",52:54:00:12:34:56"
    return text


class Nodeset(unittest.TestCase):
    maxDiff = 4000

    def test_random_hostlists_name_the_same_hosts(self):
        texts = [random_hostlist(seed) for seed in SEEDS]
        several = 0
        for seed, text, ours in zip(SEEDS, texts, expand(texts)):
            with self.subTest(seed=seed, text=text):
                theirs = nodeset_names(text)
                self.assertIsNotNone(theirs)
                if not theirs:
                    self.assertIsNone(ours)  # As DIFFERENCES says.
                    continue
                self.assertIsNotNone(ours)
                self.assertEqual(set(ours[0]), theirs)
                self.assertEqual(len(ours[0]), len(theirs))
                several += len(theirs) > 1
        self.assertGreater(several, len(SEEDS) * 3 // 4)

    def test_each_reads_what_the_other_folds(self):
        texts = [random_hostlist(seed) for seed in SEEDS]
        theirs = {text: nodeset(text) for text in texts}
        theirs = {text: names for text, names in theirs.items() if names}
        self.assertGreater(len(theirs), len(texts) * 3 // 4)
        answers = zip(theirs.items(), expand(theirs), expand(str(names) for names in theirs.values()))
        multidimensional = 0
        for (text, names), ours, read in answers:
            with self.subTest(text=text):
                self.assertIsNotNone(ours)
                self.assertEqual(nodeset_names(ours[1]), set(names))
                self.assertIsNotNone(read)
                self.assertEqual(set(read[0]), set(names))
                # Whichever way it was written.
                self.assertEqual(read[1], ours[1])
                multidimensional += ours[1].count("[") > ours[1].count("],") + 1
        self.assertGreater(multidimensional, len(SEEDS) // 20)

    def test_both_fold_alike(self):
        """As text, where there is one best form."""
        names = [text.split() for text in FOLDED]
        for folded, answer, listed in zip(FOLDED.values(), expand(",".join(n) for n in names), names):
            with self.subTest(folded=folded):
                self.assertEqual(answer[1], folded)
                self.assertEqual(str(nodeset(",".join(listed))), folded)

    def test_one_dimension_folds_alike(self):
        texts = []
        for seed in SEEDS:
            rng = random.Random(seed)
            suffix = rng.choice(["", ".example.org"])
            texts.append(",".join(random_part(rng, ["cn", suffix], 120) for _ in range(rng.randrange(1, 5))))
        for text, ours in zip(texts, expand(texts)):
            with self.subTest(text=text):
                self.assertEqual(ours[1], str(nodeset(text)))

    def test_neither_reads_what_is_malformed(self):
        for text, ours in zip(MALFORMED, expand(MALFORMED)):
            with self.subTest(text=text):
                self.assertIsNone(ours)
                self.assertIsNone(nodeset_names(text))

    def test_they_differ_where_it_is_said(self):
        for (text, (ours, theirs)), answer in zip(DIFFERENCES.items(), expand(DIFFERENCES)):
            with self.subTest(text=text):
                self.assertEqual(answer and answer[0], ours and ours.split())
                self.assertEqual(nodeset_names(text), None if theirs is None else set(theirs.split()))

    def test_the_command_reads_what_we_fold(self):
        """nodeset itself, as it would be used in a pipe."""
        names = {f"rack{rack}-n{n:02d}" for rack in (1, 2, 3) for n in range(1, 17) if (rack, n) != (3, 16)}
        (_, folded), = expand([",".join(sorted(names))])
        self.assertEqual(folded, "rack[1-2]-n[01-16],rack3-n[01-15]")
        done = subprocess.run(["nodeset", "-e", folded], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        self.assertEqual(set(done.stdout.split()), names)
        done = subprocess.run(["nodeset", "-f", *names], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        self.assertEqual(set(expand([done.stdout.strip()])[0][0]), names)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    junit.main()
