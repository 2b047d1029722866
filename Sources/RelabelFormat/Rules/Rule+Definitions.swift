extension Rule {
  /// What one rule requires and how much it matters.
  struct Definition {
    let title: String
    let outcome: Outcome
    let severity: Severity

    init(_ title: String, _ outcome: Outcome, _ severity: Severity = .error) {
      self.title = title
      self.outcome = outcome
      self.severity = severity
    }
  }

  /// The table of all rules.
  var definition: Definition {
    switch self {
    case .s001: Definition("The file starts with the HDF5 signature at byte 0", .corrupt)
    case .s002:
      Definition("The superblock is of version 3 with 8-byte offsets and lengths", .findings)
    case .s003: Definition("The file was closed by its writer", .corrupt)
    case .s004: Definition("The file is as long as its superblock says", .corrupt)

    case .c001: Definition("The HDF5 library can open and read the file", .corrupt)
    case .c002: Definition("The root group holds hard links to datasets and nothing else", .unsafe)
    case .c003: Definition("Every dataset is chunked and inside this file", .unsafe)
    case .c004: Definition("Every dataset has the filter chain of the spec", .findings)
    case .c005: Definition("Links and attributes are compact and of simple types", .findings)
    case .c006: Definition("Sizes are within the limits before anything is read", .unsafe)
    case .c007: Definition("Every chunk is present", .corrupt)
    case .c008:
      Definition("Every chunk matches its checksum and decodes to its exact size", .corrupt)
    case .c009: Definition("No chunk skips its checksum", .findings)
    case .c010: Definition("Elements are little-endian numbers or fixed-length strings", .unsafe)
    case .c011: Definition("No two parts of the file share bytes", .unsafe)
    case .c012: Definition("The structure holds only what the profile names", .unsafe)
    case .c013: Definition("No times are stored", .findings)

    case .l001: Definition("The file says that it is a relabel shard", .findings)
    case .l002: Definition("The format version is supported", .unsupported)
    case .l003: Definition("Every required feature is known", .unsupported)
    case .l004: Definition("The root attributes are present and valid", .findings)
    case .l005: Definition("The required datasets are present and no others", .findings)
    case .l006: Definition("The datasets have the types of the spec", .findings)
    case .l007: Definition("The datasets have fitting shapes", .findings)
    case .l008: Definition("Every dataset names its axes", .findings)
    case .l009: Definition("Fill values are those reserved for 'never written'", .findings)
    case .l010:
      Definition("The score encoding is complete: a power-of-two step and its offset", .findings)
    case .l011: Definition("Axis 0 is unlimited, the others are fixed", .findings)
    case .l012: Definition("Chunks hold whole images, alike for ids and scores", .findings)
    case .l013: Definition("The metadata document is complete and valid", .findings)
    case .l014: Definition("The metadata document matches its digest", .corrupt)

    case .v001: Definition("Every class id is below the number of classes", .findings)
    case .v002: Definition("The class ids of a cell are distinct", .findings)
    case .v003: Definition("Every score is finite", .findings)
    case .v004: Definition("Cells are in the declared order", .findings)
    case .v005: Definition("Probabilities are between 0 and 1", .findings)
    case .v006: Definition("The probabilities of a cell sum to at most 1", .findings)
    case .v007: Definition("Every row has been written", .findings)
    case .v008: Definition("Padding rows hold the fill value", .findings)
    case .v009: Definition("Image indexes are unique and not negative", .findings)
    case .v010: Definition("Image keys are valid and unique", .findings)
    case .v011: Definition("The cells of a map differ", .sound, .warning)
    case .v012: Definition("The scores of a map differ", .sound, .warning)
    case .v013: Definition("No map stands for many images", .sound, .warning)
    case .v014: Definition("Every class is seen", .sound, .warning)
    case .v015: Definition("No class dominates", .sound, .warning)
    case .v016: Definition("The planes of ids and scores are not exchanged", .sound, .warning)
    case .v017: Definition("The scores look like the declared kind", .sound, .warning)
    case .v018: Definition("The maps agree with the source labels", .sound, .warning)

    case .m001: Definition("The folder has an index.json", .findings)
    case .m002: Definition("index.json matches its own digest", .corrupt)
    case .m003: Definition("index.json has every member", .findings)
    case .m004: Definition("The folder holds the listed shards and no others", .findings)
    case .m005: Definition("Every shard has the listed size and digest", .corrupt)
    case .m006: Definition("Every shard holds what index.json says", .findings)
    case .m007: Definition("Image keys and indexes are unique in the dataset", .findings)
    case .m008: Definition("All shards agree in what they must", .findings)
    case .m009: Definition("Shard paths stay inside the folder", .unsafe)
    case .m010: Definition("Every listed shard has rows", .findings)
    case .m011: Definition("The shards are alike in their scores", .sound, .warning)

    case .i001: Definition("Every image has its picture", .findings)
    case .i002: Definition("Every picture has its image", .findings)
    case .i003: Definition("Pictures have the stored size", .findings)
    case .i004: Definition("Pictures have the stored digest", .findings)
    case .i005: Definition("The boxes agree with the declared orientation", .sound, .warning)
    case .i006: Definition("Fresh maps agree with the stored ones", .findings)

    case .p001: Definition("The annotator is documented", .sound, .note)
    case .p002: Definition("The class table is included", .sound, .note)
    case .p003: Definition("The orientation is stated", .sound, .note)
    }
  }
}
