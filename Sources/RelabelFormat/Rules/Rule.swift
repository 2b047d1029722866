/// One rule of the format or of the verifier, by its stable id; `spec/rules.md` explains each.
///
/// An id is never used again for another rule. What a rule requires, how much it matters and what a
/// violation makes of a file stand in `definition` below and nowhere else in this package.
public enum Rule: String, Hashable, Sendable, CaseIterable {
  // What the cases mean is in `definition`; a documented list here would say it twice.
  case s001 = "S001"
  case s002 = "S002"
  case s003 = "S003"
  case s004 = "S004"

  case c001 = "C001"
  case c002 = "C002"
  case c003 = "C003"
  case c004 = "C004"
  case c005 = "C005"
  case c006 = "C006"
  case c007 = "C007"
  case c008 = "C008"
  case c009 = "C009"
  case c010 = "C010"
  case c011 = "C011"
  case c012 = "C012"
  case c013 = "C013"

  case l001 = "L001"
  case l002 = "L002"
  case l003 = "L003"
  case l004 = "L004"
  case l005 = "L005"
  case l006 = "L006"
  case l007 = "L007"
  case l008 = "L008"
  case l009 = "L009"
  case l010 = "L010"
  case l011 = "L011"
  case l012 = "L012"
  case l013 = "L013"
  case l014 = "L014"

  case v001 = "V001"
  case v002 = "V002"
  case v003 = "V003"
  case v004 = "V004"
  case v005 = "V005"
  case v006 = "V006"
  case v007 = "V007"
  case v008 = "V008"
  case v009 = "V009"
  case v010 = "V010"
  case v011 = "V011"
  case v012 = "V012"
  case v013 = "V013"
  case v014 = "V014"
  case v015 = "V015"
  case v016 = "V016"
  case v017 = "V017"
  case v018 = "V018"
  case v019 = "V019"
  case v020 = "V020"
  case v021 = "V021"
  case v022 = "V022"
  case v023 = "V023"
  case v024 = "V024"
  case v025 = "V025"
  case v026 = "V026"
  case v027 = "V027"
  case v028 = "V028"
  case v029 = "V029"
  case v030 = "V030"
  case v031 = "V031"
  case v032 = "V032"
  case v033 = "V033"
  case v034 = "V034"

  case m001 = "M001"
  case m002 = "M002"
  case m003 = "M003"
  case m004 = "M004"
  case m005 = "M005"
  case m006 = "M006"
  case m007 = "M007"
  case m008 = "M008"
  case m009 = "M009"
  case m010 = "M010"
  case m011 = "M011"
  case m012 = "M012"

  case i001 = "I001"
  case i002 = "I002"
  case i003 = "I003"
  case i004 = "I004"
  case i005 = "I005"
  case i006 = "I006"

  case p001 = "P001"
  case p002 = "P002"
  case p003 = "P003"
  case p004 = "P004"

  /// The stable id, such as `C008`.
  public var id: String { rawValue }
  /// What is required, in one line.
  public var title: String { definition.title }
  /// How much a violation matters, unless a configuration says otherwise.
  public var severity: Severity { definition.severity }
  /// What a violation makes of the file.
  public var outcome: Outcome { definition.outcome }
  /// What the rule looks at.
  public var stage: Stage { rawValue.first.flatMap(Stage.init) ?? .provenance }
}

extension Rule {
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
    case .v019: Definition("Every map extent is a box within the picture", .findings)
    case .v020: Definition("Every source label is a class or −1", .findings)
    case .v021: Definition("Every picture has a height and a width", .findings)
    case .v022: Definition("No log normalizer is below a score of its cell", .findings)
    case .v023:
      Definition("Logit 0 fits the classes that are not stored", .sound, .warning)
    case .v024:
      Definition("The views of an image have numbers of their own, not negative", .findings)
    case .v025: Definition("Every view box has a height and a width", .findings)
    case .v026: Definition("Every flip is 0, 1 or not known", .findings)
    case .v027: Definition("Shares, boxes and partners of mixes are possible", .findings)
    case .v028: Definition("Every place in the replay is taken once", .findings)
    case .v029: Definition("Views that are mixed in a batch are there and agree", .findings)
    case .v030: Definition("Operations are JSON objects", .findings)
    case .v031: Definition("Views stand in the declared row order", .findings)
    case .v032: Definition("Scales of factors are powers of two, or 0", .findings)
    case .v033: Definition("The ids of each cell number its factors", .findings)
    case .v034: Definition("The stated error of targets is possible, and confirmed", .findings)

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
    case .m012: Definition("Batches and partners of views are complete", .findings)

    case .i001: Definition("Every image has its picture", .findings)
    case .i002: Definition("Every picture has its image", .findings)
    case .i003: Definition("Pictures have the stored size", .findings)
    case .i004: Definition("Pictures have the stored digest", .findings)
    case .i005: Definition("The boxes agree with the declared orientation", .sound, .warning)
    case .i006: Definition("Fresh maps agree with the stored ones", .findings)

    case .p001: Definition("The annotator is documented", .sound, .note)
    case .p002: Definition("The class table is included", .sound, .note)
    case .p003: Definition("The orientation is stated", .sound, .note)
    case .p004: Definition("Labels of views don't depend on their batch", .sound, .note)
    }
  }
}
