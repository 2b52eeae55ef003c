"""Fragments that join to one gzip member, and checksums that combine as if the texts had been one."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition.chunk import LINES_AT_ONCE, Run, compress, compress_piecewise, crc_combine
from exporter.exposition.gzip_member import Member

texts = st.binary(max_size=300) | st.builds(lambda piece, times: piece * times, st.binary(max_size=20), st.just(999))


@given(st.lists(texts, max_size=8))
def test_joined_fragments_are_one_member_that_python_gzip_reads(pieces):
    member = Member.of(compress(piece, 1) for piece in pieces)

    joined = b"".join(member.gzip())

    assert gzip.decompress(joined) == b"".join(pieces)
    assert member.size == len(b"".join(pieces))
    assert b"".join(member.inflate()) == b"".join(pieces)


@given(texts, texts)
def test_checksums_combine_as_zlib_counts_the_whole(first, second):
    assert crc_combine(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 4095, 4096, 4097, 65_535, 65_536, 1_000_003, 2**24 + 1])
def test_checksums_combine_over_every_length_of_the_second(length):
    second = bytes(byte % 251 for byte in range(997)) * (length // 997 + 1)
    second = second[:length]

    assert crc_combine(zlib.crc32(b"before"), zlib.crc32(second), length) == zlib.crc32(second, zlib.crc32(b"before"))


@pytest.mark.parametrize("count", [1, LINES_AT_ONCE, LINES_AT_ONCE + 1, 3 * LINES_AT_ONCE + 7])
def test_lines_in_pieces_are_the_same_text_as_all_at_once(count):
    lines = [f'family{{guest="g{number}"}} {number}\n' for number in range(count)]
    whole = "".join(lines).encode()

    chunk = compress_piecewise(lines, count)

    assert (chunk.length, chunk.crc, chunk.series) == (len(whole), zlib.crc32(whole), count)
    assert gzip.decompress(b"".join(Member.of([chunk, compress(b"tail\n", 0)]).gzip())) == whole + b"tail\n"


def test_lengths_past_what_memory_holds_combine_in_steps():
    whole = 3 * 2**32 + 12_345
    in_steps = crc_combine(0x12345678, 0, 2**32)
    for length in (2**32, 2**32, 12_345):
        in_steps = crc_combine(in_steps, 0, length)

    assert crc_combine(0x12345678, 0, whole) == in_steps


def test_a_run_stands_for_its_chunks():
    first, second = compress(b"first\n", 1), compress(b"second\n", 2)
    crc = crc_combine(first.crc, second.crc, second.length)
    run = Run((first.body, second.body), first.length + second.length, crc, 3)

    assert Member.of([run]).gzip() == Member.of([first, second]).gzip()


def test_a_member_is_not_changed_by_what_is_appended():
    member = Member.of([compress(b"page\n", 1)])

    longer = member.append(compress(b"tail\n", 1))

    assert gzip.decompress(b"".join(member.gzip())) == b"page\n"
    assert gzip.decompress(b"".join(longer.gzip())) == b"page\ntail\n"


def test_plain_text_comes_in_pieces_however_long_one_fragment_is():
    text = bytes(range(256)) * 4096

    pieces = list(Member.of([compress(text, 1), compress(b"end", 1)]).inflate())

    assert b"".join(pieces) == text + b"end"
    assert max(map(len, pieces)) < 2**18


def test_the_size_field_wraps_at_four_gibibytes():
    member = Member.of([Run((), 2**32 + 2**31, 0, 0), compress(b"x" * 2**20, 1)])

    assert member.size == 2**32 + 2**31 + 2**20
    assert member.gzip()[-1][-4:] == (2**31 + 2**20).to_bytes(4, "little")
