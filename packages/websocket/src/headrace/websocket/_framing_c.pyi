# The compiled twin has the signatures of the readable one.
from ._framing_py import IMPLEMENTATION as IMPLEMENTATION
from ._framing_py import MessageReader as MessageReader
from ._framing_py import build_frame as build_frame
from ._framing_py import parse_head as parse_head
from ._framing_py import unmask as unmask
from ._framing_py import whole_frame as whole_frame
