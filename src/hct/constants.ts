/** The numbers of the HCT format, under the names of the reference. */

/** "HCTN", little-endian. */
export const HCT_MAGIC = 0x4e544348;
/** The first version, whose index has no checksums. */
export const HCT_VERSION = 1;
/** The version that can have checksums, quantization metadata and an extension section. */
export const HCT_VERSION_V2 = 2;
/** Bytes of the header, in both versions. */
export const HCT_HEADER_SIZE = 64;
/** Default of uncompressed bytes per block. */
export const DEFAULT_BLOCK_SIZE = 16384;

/** The header has a checksum of its own. */
export const FLAG_HEADER_CHECKSUM = 0x0001;
/** The block index has a checksum of each block. */
export const FLAG_BLOCK_CHECKSUMS = 0x0002;
/** There are quantization metadata, and perhaps scales of groups. */
export const FLAG_QUANTIZATION = 0x0004;
/** The extension section has the tensor's name. */
export const FLAG_TENSOR_NAME = 0x0008;
/** The reference's mark of tensors in fragments. */
export const FLAG_HOLOGRAPHIC = 0x0010;
/** holostream's: the header cannot hold the shape; the extension section does. */
export const FLAG_SHAPE_IN_EXTENSION = 0x0020;
/** holostream's: the extension section has the checksum of quantization metadata and group scales. */
export const FLAG_QUANTIZATION_CHECKSUM = 0x0040;

/** Where the checksum of a version 2 header is, and how many bytes it covers. */
export const HCT_CHECKSUM_OFFSET = 56;
/** Dimensions that fit the header: bytes 37 to 60. */
export const HCT_MAX_RANK = 3;
/** Of the third dimension, version 2 keeps bytes 53 to 55; the checksum overwrites the rest. */
export const HCT_V2_THIRD_DIMENSION_LIMIT = 2 ** 24;
/** Block offsets are u32, counted from the first block. */
export const HCT_MAX_BLOCK_BYTES = 2 ** 32 - 1;
