import Relabel

/// What an `Entry` says in a few bytes: places in an `EntryPool`, and numbers.
struct EntryRecord: BitwiseCopyable {
  enum PlaceKind: UInt8, BitwiseCopyable { case named, row, path }
  enum PayloadKind: UInt8, BitwiseCopyable { case failure, map }

  var placeKind = PlaceKind.path
  var payloadKind = PayloadKind.failure
  /// The prefix or the path.
  var text: UInt32 = 0
  /// The extension.
  var suffix: UInt32 = 0
  /// The error or the storage of a region.
  var source: UInt32 = 0
  /// The description of the map.
  var description: UInt32 = 0
  /// The row that the place names.
  var placeRow: Int = 0
  /// Where the region begins.
  var offset: Int = 0
  /// Bytes of the region.
  var count: Int = 0
}

/// What entries share, so that each of millions takes an `EntryRecord` and not objects of its own.
struct EntryPool: Sendable {
  private var texts = Interned<String>()
  private var descriptions = Interned<SharedDescription>()
  private var storages: [ByteRegion.Storage] = []
  private var errors: [RelabelError] = []

  /// The record of an entry; what it refers to is kept.
  mutating func record(_ entry: Entry) -> EntryRecord {
    var record = EntryRecord()
    switch entry.place {
    case .named(let prefix, let suffix):
      record.placeKind = .named
      (record.text, record.suffix) = (texts.place(of: prefix), texts.place(of: suffix))
    case .row(let path, let row):
      record.placeKind = .row
      (record.text, record.placeRow) = (texts.place(of: path), row)
    case .path(let path):
      record.placeKind = .path
      record.text = texts.place(of: path)
    }
    switch entry.payload {
    case .failure(let error):
      record.source = UInt32(errors.count)
      errors.append(error)
    case .map(let description, let region):
      record.payloadKind = .map
      record.description = descriptions.place(of: SharedDescription(value: description))
      note(region, in: &record)
    }
    return record
  }

  private mutating func note(_ region: ByteRegion, in record: inout EntryRecord) {
    // Images of one file come one after the other.
    if storages.last?.isSame(as: region.storage) != true { storages.append(region.storage) }
    record.source = UInt32(storages.count - 1)
    (record.offset, record.count) = (region.offset, region.count)
  }

  /// The entry of a record that this pool has made.
  func entry(_ record: EntryRecord) -> Entry {
    let text = texts[record.text]
    let place: Place =
      switch record.placeKind {
      case .named: .named(prefix: text, extension: texts[record.suffix])
      case .row: .row(of: text, record.placeRow)
      case .path: .path(text)
      }
    var region: ByteRegion {
      ByteRegion(
        storage: storages[Int(record.source)],
        offset: record.offset,
        count: record.count
      )
    }
    let payload: Payload =
      switch record.payloadKind {
      case .failure: .failure(errors[Int(record.source)])
      case .map: .map(descriptions[record.description].value, region)
      }
    return Entry(place: place, payload: payload)
  }
}

/// A description that is compared with those of other dialects.
private struct SharedDescription: Hashable, Sendable {
  let value: any MapDescription

  static func == (a: Self, b: Self) -> Bool { a.value.isEqual(to: b.value) }

  func hash(into hasher: inout Hasher) { value.hash(into: &hasher) }
}

/// Values that are kept once.
private struct Interned<Value: Hashable & Sendable>: Sendable {
  private var places: [Value: UInt32] = [:]
  private var values: [Value] = []

  mutating func place(of value: Value) -> UInt32 {
    // Neighbours share most: the last prefix and the last extension.
    if let place = values.indices.suffix(2).last(where: { values[$0] == value }) {
      return UInt32(place)
    }
    if let known = places[value] { return known }
    let place = UInt32(values.count)
    places[value] = place
    values.append(value)
    return place
  }

  subscript(place: UInt32) -> Value { values[Int(place)] }
}

extension ByteRegion.Storage {
  fileprivate func isSame(as other: ByteRegion.Storage) -> Bool {
    switch (self, other) {
    case (.open(let one), .open(let other)): one === other
    case (.closed(let one), .closed(let other)): one == other
    case (.rows, .rows): true
    default: false
    }
  }
}
