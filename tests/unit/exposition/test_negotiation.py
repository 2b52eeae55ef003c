"""Accept and Accept-Encoding as Prometheus, agents, browsers and rude clients send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition.negotiation import Format, accepts_gzip, negotiate

TEXT, OPENMETRICS = Format.TEXT_0_0_4, Format.OPENMETRICS_1_0
OM = "application/openmetrics-text"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(
            f"{OM};version=1.0.0,{OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OPENMETRICS,
            id="Prometheus 2.42",
        ),
        pytest.param(
            f"{OM};version=1.0.0;escaping=allow-utf-8;q=0.6,{OM};version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPENMETRICS,
            id="Prometheus 3",
        ),
        pytest.param(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
            f"{OM};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPENMETRICS,
            id="Prometheus that prefers protobuf",
        ),
        pytest.param("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT, id="Prometheus told to scrape text"),
        pytest.param("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT, id="a browser"),
        pytest.param("*/*", TEXT, id="curl"),
        pytest.param("application/*", TEXT, id="a wildcard never means OpenMetrics"),
        pytest.param(None, TEXT, id="no header"),
        pytest.param("", TEXT, id="empty header"),
        pytest.param(OM, OPENMETRICS, id="unversioned"),
        pytest.param(f'{OM}; version="1.0.0"; charset=utf-8', OPENMETRICS, id="quoted version"),
        pytest.param(f'{OM};note="a,b;c\\"d";version=1.0.0', OPENMETRICS, id="separators inside a quoted string"),
        pytest.param("Application/OpenMetrics-Text;Version=1.0.0;Q=0.5", OPENMETRICS, id="letter case"),
        pytest.param(f"{OM} ; version=1.0.0 ; ; q=0.5 ,", OPENMETRICS, id="white space and empty parts"),
        pytest.param(f"{OM};version=0.0.1", TEXT, id="only 0.0.1"),
        pytest.param(f"{OM};version=9.9.9", TEXT, id="a version that does not exist is never echoed"),
        pytest.param(f"{OM};version=1.0.0;q=0", TEXT, id="refused by q=0"),
        pytest.param(f"{OM};version=1.0.0;q=0,{OM};q=1", TEXT, id="the narrower range decides for OpenMetrics"),
        pytest.param(f"{OM};q=0.3,text/plain;q=0.7", TEXT, id="text is more welcome"),
        pytest.param(f"{OM};q=0.5,*/*;q=0.9,text/plain;q=0.1", OPENMETRICS, id="the narrower range decides for text"),
        pytest.param(f"{OM};q=0.5,text/plain;version=1.0.0", OPENMETRICS, id="another version of text says nothing"),
        pytest.param(f"{OM},text/plain", OPENMETRICS, id="equally welcome"),
        pytest.param(f"{OM};q=1.5", TEXT, id="q above 1"),
        pytest.param(f"{OM};q=abc", TEXT, id="q is no number"),
        pytest.param(f"{OM};version", TEXT, id="a parameter without value"),
        pytest.param(f'{OM};version="1.0.0', TEXT, id="a quoted string that never ends"),
        pytest.param("text/plain;version=abc", TEXT, id="text of an unknown version"),
        pytest.param("image/png;q=1", TEXT, id="nothing we have"),
        pytest.param(',;,;="\\,\x00ÿ/', TEXT, id="garbage"),
        pytest.param(f"garbage/;;=,{OM};version=1.0.0", OPENMETRICS, id="garbage beside something readable"),
    ],
)
def test_the_format_is_what_the_client_prefers_among_the_two_we_have(accept, expected):
    assert negotiate(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        pytest.param("gzip", True, id="Prometheus"),
        pytest.param("gzip, deflate, br, zstd", True, id="a browser"),
        pytest.param("X-GZIP", True, id="its old name"),
        pytest.param("gzip;q=0.5", True, id="identity, unnamed, is the last resort"),
        pytest.param("*", True, id="anything"),
        pytest.param("deflate, *;q=0.1", True, id="anything, hardly"),
        pytest.param(None, False, id="no header"),
        pytest.param("", False, id="empty header"),
        pytest.param("identity", False, id="identity"),
        pytest.param("deflate, br", False, id="others only"),
        pytest.param("gzip;q=0", False, id="refused"),
        pytest.param("gzip;q=0, *", False, id="refused, though anything else would do"),
        pytest.param("gzip;q=0.000", False, id="refused in three digits"),
        pytest.param("*;q=0", False, id="everything refused"),
        pytest.param("gzip;q=0.5, identity;q=0.8", False, id="plain is more welcome"),
        pytest.param("gzip;q=much", False, id="q is no number"),
        pytest.param("gzipped", False, id="a longer name"),
    ],
)
def test_gzip_is_used_only_where_it_is_welcome(accept_encoding, expected):
    assert accepts_gzip(accept_encoding) is expected


def test_the_content_types_are_those_of_the_standards():
    assert TEXT.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert OPENMETRICS.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"


HEADERS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([OM, "text/plain", "*/*", "gzip", "q", "=", ";", ",", '"', "\\", "1.0.0", " ", "\t"])).map(
        "".join
    ),
)


@given(HEADERS)
def test_no_header_raises(header):
    assert negotiate(header) in Format
    assert accepts_gzip(header) in (True, False)


@pytest.mark.parametrize("piece", ['"', "\\", ";", ",", " ;", '"\\"', "a=", ";a=b "])
def test_a_header_of_the_largest_size_is_read_at_once(piece):
    header = OM + piece * (16384 // len(piece))
    assert negotiate(header) in Format
    assert accepts_gzip(header) in (True, False)
