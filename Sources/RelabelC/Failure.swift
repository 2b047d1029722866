import Relabel

/// The last failure of each thread.
enum Failure {
  /// `relabel_failure` of relabel.h: its members in the same order, as C lays them out.
  private struct Record {
    var status: Int32 = 0
    var rule: UnsafeMutablePointer<CChar>?
    var message: UnsafeMutablePointer<CChar>?
    var file: UnsafeMutablePointer<CChar>?
    var dataset: UnsafeMutablePointer<CChar>?
    var key: UnsafeMutablePointer<CChar>?
    var row: Int64 = -1
    var cellY: Int32 = -1
    var cellX: Int32 = -1
    var rank: Int32 = -1
    var position: Int64 = -1
    // Behind what relabel.h declares: the text of relabel_error.
    var line: UnsafeMutablePointer<CChar>?

    init(_ error: RelabelError) {
      let location = error.location
      status = error.code.exitStatus.rawValue
      rule = error.rule.flatMap { CText.copy($0.id) }
      message = CText.copy(error.message)
      file = location.file.flatMap { CText.copy($0) }
      dataset = location.dataset.flatMap { CText.copy($0) }
      key = location.key.flatMap { CText.copy($0) }
      if let row = location.row { self.row = Int64(row) }
      if let cell = location.cell {
        (cellY, cellX) = (Int32(cell.y), Int32(cell.x))
        if let rank = cell.rank { self.rank = Int32(rank) }
      }
      if let place = error.place { position = Int64(place) }
      line = CText.copy(error.description)
    }

    func freeTexts() {
      for text in [rule, message, file, dataset, key, line] { CText.free(text) }
    }
  }

  /// The record of one thread, at a place that does not change.
  private final class Kept {
    let record = UnsafeMutablePointer<Record>.allocate(capacity: 1)

    init(_ error: RelabelError) { record.initialize(to: Record(error)) }

    deinit {
      record.pointee.freeTexts()
      record.deallocate()
    }
  }

  private static let kept = PerThread<Kept>()

  // Never changes.
  nonisolated(unsafe) private static let none: UnsafePointer<CChar>? = CText.copy("").map {
    UnsafePointer($0)
  }

  private static var record: UnsafeMutablePointer<Record>? { kept.value?.record }

  /// Keeps an error for this thread and returns its status.
  static func keep(_ error: RelabelError) -> Int32 {
    if let record {
      record.pointee.freeTexts()
      record.pointee = Record(error)
    } else {
      kept.set(Kept(error))
    }
    return error.code.exitStatus.rawValue
  }

  /// The kept error on one line, or an empty text.
  static var text: UnsafePointer<CChar>? {
    guard let line = record?.pointee.line else { return none }
    return UnsafePointer(line)
  }

  /// The kept error as relabel.h declares it, or nil.
  static var last: UnsafeRawPointer? { record.map { UnsafeRawPointer($0) } }

  /// The status of `body`: 0, or that of the error it throws.
  static func status(_ body: () throws(RelabelError) -> Void) -> Int32 {
    do {
      try body()
      return 0
    } catch {
      return keep(error)
    }
  }

  /// The number that `body` makes, or minus the status of its error.
  static func number(_ body: () throws(RelabelError) -> Int) -> Int64 {
    do {
      return Int64(try body())
    } catch {
      return -Int64(keep(error))
    }
  }

  /// The text that `body` makes, or nil.
  static func text(
    _ body: () throws(RelabelError) -> UnsafePointer<CChar>?
  ) -> UnsafePointer<CChar>? {
    do {
      return try body()
    } catch {
      _ = keep(error)
      return nil
    }
  }

  /// The object that `body` makes, handed over to the caller, or nil.
  static func object(_ body: () throws(RelabelError) -> AnyObject) -> UnsafeMutableRawPointer? {
    do {
      return Unmanaged.passRetained(try body()).toOpaque()
    } catch {
      _ = keep(error)
      return nil
    }
  }
}

/// The error for a pointer that must not be NULL.
func missing(_ name: String) -> RelabelError {
  RelabelError(.usage, "argument '\(name)' is NULL")
}
