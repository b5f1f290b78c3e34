# SPDX-License-Identifier: Apache-2.0
"""pydicom data sets to the bytes of a file and back, in memory. Only imported with pydicom."""
import copy
import io
import re
import zlib

import pydicom
from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian,
                         ExplicitVRLittleEndian, ImplicitVRLittleEndian, UID)

from ._errors import EncodeError

_PIXEL_DATA = 0x7FE00010
_UNDEFINED_LENGTH = 0xFFFFFFFF


def encode(data_set: Dataset) -> bytes:
    """The data set as a DICOM file (PS3.10). Elements that were read and not touched keep their
    bytes. The data set is not changed. Raises EncodeError, also if a deferred value cannot be read
    any more."""
    try:
        return _encode(data_set)
    except (EncodeError, MemoryError):
        raise
    except Exception as error:
        # Of any class, OSError too, and with values in its message, which must not go on into logs:
        # nor as the context of what is raised.
        place = re.search(r"With tag (\([0-9A-Fa-f]{4}, ?[0-9A-Fa-f]{4}\))", str(error))
        where = place[1].replace(" ", "").upper() if place else ""
        failure = EncodeError(type(error).__name__, where)
    raise failure


def decode(file: bytes) -> FileDataset:
    """The data set of a DICOM file."""
    data_set = pydicom.dcmread(io.BytesIO(file))
    # Or it would keep the whole file.
    data_set.filename = None  # type: ignore[assignment]
    return data_set


def _encode(data_set: Dataset) -> bytes:
    # Not dcmwrite(): it refuses transfer syntaxes that pydicom does not know and dcmveil does.
    writable = _copy(data_set, default_encoding)
    meta = _file_meta(data_set)
    syntax = meta.get("TransferSyntaxUID") or _guessed_syntax(data_set)
    meta.TransferSyntaxUID = syntax
    if data_set.is_decompressed:
        writable.PixelData = data_set.pixel_array.tobytes()
    known = not syntax.is_private and syntax.is_transfer_syntax
    pixels = writable.get_item(_PIXEL_DATA) if _PIXEL_DATA in writable else None
    if known and isinstance(pixels, DataElement):
        pixels.is_undefined_length = syntax.is_compressed  # PS3.5 section A.4
    # Values keep their bytes if this is how they were read, as _copy() told of it.
    writable.is_implicit_VR = syntax.is_implicit_VR if known else bool(data_set.is_implicit_VR)
    writable.is_little_endian = syntax.is_little_endian if known else True

    file = DicomBytesIO()
    file.write(bytes(128) + b"DICM")
    write_file_meta_info(file, meta, enforce_standard=False)
    if syntax == DeflatedExplicitVRLittleEndian:
        body = DicomBytesIO()
        _write(body, writable)
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        file.write(deflate.compress(body.getvalue()) + deflate.flush())
    else:
        _write(file, writable)
    encoded: bytes = file.getvalue()
    return encoded


def _write(file: DicomBytesIO, data_set: Dataset) -> None:
    file.is_implicit_VR = bool(data_set.is_implicit_VR)
    file.is_little_endian = bool(data_set.is_little_endian)
    write_dataset(file, data_set)


def _copy(data_set: Dataset, encoding: str | list[str]) -> Dataset:
    """A data set with the same values that writing may change: it settles VRs and flags.

    `encoding` is that of what an item lies in, and its own if it has no character set.
    """
    elements = {tag: data_set.get_item(tag) for tag in data_set.keys()}
    copied = Dataset(dict(elements), parent_encoding=encoding)
    copied.set_original_encoding(data_set.read_implicit_vr, data_set.read_little_endian,
                                 data_set.read_encoding)
    for tag, element in elements.items():
        if isinstance(element, RawDataElement):
            if element.length not in (_UNDEFINED_LENGTH, len(element.value or b"")):
                # pydicom reads what there is, and would write it as if there had been no more.
                raise EncodeError("the file ended in the value", _text(element.tag))
        else:
            copied[tag] = _copy_element(element, copied._character_set)
    return copied


def _copy_element(element: DataElement, encoding: list[str]) -> DataElement:
    copied = copy.copy(element)
    if element.VR == "SQ":
        copied.value = Sequence([_copy(item, encoding) for item in element.value])
    return copied


def _file_meta(data_set: Dataset) -> FileMetaDataset:
    """What the engine asks of it; it makes a new one."""
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # counted when it is written
    given: Dataset = getattr(data_set, "file_meta", None) or Dataset()
    for keyword in ("MediaStorageSOPClassUID", "TransferSyntaxUID"):
        if keyword in given:
            meta[keyword] = given[keyword]
    return meta


def _guessed_syntax(data_set: Dataset) -> UID:
    """What the data set says of its encoding, or, as for one that was made in memory, Explicit VR
    Little Endian."""
    pixels = data_set.get_item(_PIXEL_DATA) if _PIXEL_DATA in data_set else None
    if getattr(pixels, "is_undefined_length", getattr(pixels, "length", 0) == _UNDEFINED_LENGTH):
        raise EncodeError("compressed Pixel Data without a Transfer Syntax UID", _text(_PIXEL_DATA))
    if data_set.is_implicit_VR:
        return ImplicitVRLittleEndian
    if data_set.is_little_endian is False:
        return ExplicitVRBigEndian
    return ExplicitVRLittleEndian


def _text(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
