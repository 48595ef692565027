"""What an `.env` of a repository says."""

from __future__ import annotations

import pytest

from cloud_agent_runner.preview.env_files import variables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB = two words # of B\nexport C=\n", {"A": "1", "B": "two words", "C": ""}),
        ("""A="it's"\nB='say "no"'\nC="a # in it" # after it\n""", {"A": "it's", "B": 'say "no"', "C": "a # in it"}),
        (r'A="say \"no\"\n"', {"A": 'say "no"\n'}),
        ('KEY="-----BEGIN-----\nMII=\n-----END-----"\nB=2', {"KEY": "-----BEGIN-----\nMII=\n-----END-----", "B": "2"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("# A=1\nnot one\nB\n1C=1\nÄ=1\nD-E=1\n=1\nF='open\nG=2", {"G": "2"}),
        ("A=\0\nB=2", {"B": "2"}),  # no process can be given it
        ("A=$B${C}", {"A": "$B${C}"}),
    ],
)
def test_a_file_is_read_as_the_programs_that_load_it_do(text: str, expected: dict[str, str]) -> None:
    assert variables(text) == expected


def test_of_a_file_without_end_the_first_thousand_variables_are_read() -> None:
    assert [*variables("".join(f"V{number}=1\n" for number in range(100_000)))] == [f"V{n}" for n in range(1_000)]
