package import Relabel
package import RelabelServer
import Synchronization

/// Shows a dataset to one person: answers what the page asks, and keeps the marks.
///
/// Nothing is written but the table of marks.
package final class Browser: Sendable {
  /// What is browsed.
  package struct Options: Sendable {
    /// A shard, a dataset's folder or its `index.json`.
    package var path: String
    /// Folders of the pictures.
    package var pictures: [String] = []
    /// Another dataset over the same images.
    package var other: String?
    /// The table of marks; nil for a browser that marks nothing.
    package var marks: String?
    /// Threads that measure images.
    package var jobs: Int = 1

    /// Browses a dataset without pictures and marks.
    package init(path: String) { self.path = path }
  }

  let maps: BrowsedMaps
  let other: BrowsedMaps?
  let pictures: PictureShelf
  /// The table of marks.
  package let marks: MarksFile?
  private let options: Options
  private let page: [UInt8]
  private let isStopped = Atomic<Bool>(false)

  /// Opens what is browsed.
  ///
  /// - Throws: as `openLabelMaps`, and `MarksFile`; `.usage` where the other dataset has other classes.
  package init(_ options: Options) throws(RelabelError) {
    self.options = options
    maps = try BrowsedMaps(options.path)
    other = try options.other.map { path throws(RelabelError) in try BrowsedMaps(path) }
    if let other, other.header.numClasses != maps.header.numClasses {
      throw RelabelError(
        .usage,
        "the datasets have \(maps.header.numClasses) and \(other.header.numClasses) classes, so their maps don't compare",
        at: Location(file: options.other)
      )
    }
    pictures = PictureShelf(options.pictures)
    marks = try options.marks.map { path throws(RelabelError) in try MarksFile(path) }
    let document = JSON.object([
      "title": .string(Self.name(of: options.path)), "header": maps.header.pageDocument,
      "can_mark": .bool(marks != nil),
      "other": other.map { other in
        .object([
          "title": .string(Self.name(of: options.other ?? "")), "header": other.header.pageDocument,
        ])
      } ?? .null,
    ])
    let page = Page(
      .browse,
      title: "\(Self.name(of: options.path)) – relabel browse",
      document: document,
      isServed: true
    )
    self.page = Array(try page.html().utf8)
  }

  /// Begins to read and measure in the background.
  package func start() {
    Task.detached { [self] in
      let isStopped: @Sendable () -> Bool = { [self] in self.isStopped.load(ordering: .relaxed) }
      maps.list(isStopped: isStopped)
      other?.prepare()
      maps.survey.run(maps.source, jobs: options.jobs, isStopped: isStopped)
    }
    Task.detached { [self] in pictures.list() }
  }

  /// Ends what runs in the background.
  package func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Answers a request of the page.
  package func answer(_ request: Request) -> Response {
    do throws(RelabelError) {
      switch (request.method, request.path) {
      case (.get, "/"): return Response(type: "text/html; charset=utf-8", page)
      case (.get, "/state"): return try Response(json: state)
      case (.get, "/images"): return try Response(json: images(request))
      case (.get, "/image"): return try Response(json: image(request))
      case (.get, "/picture"):
        return pictures.answer(try maps.source.key(at: try position(request)))
      case (.get, "/classes"): return try Response(json: classes(request))
      case (.post, "/mark"): return try Response(json: mark(request))
      case (_, "/"), (_, "/state"), (_, "/images"), (_, "/image"), (_, "/picture"), (_, "/classes"),
        (_, "/mark"):
        return Response(405, "this is asked in another way")
      default: return Response(404, "there is nothing here")
      }
    } catch {
      return Response(
        error.code == .usage || error.code == .notFound ? 400 : 500,
        error.description
      )
    }
  }

  /// The position that a request names.
  func position(_ request: Request) throws(RelabelError) -> Int {
    guard let position = request.number("at"), position < maps.source.count else {
      throw RelabelError(.notFound, "'at' is not the position of an image")
    }
    return position
  }

  private static func name(of path: String) -> String {
    let trimmed = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
    return Folder.name(of: trimmed)
  }
}

extension Response {
  /// A document as an answer.
  init(json: JSON) throws(RelabelError) {
    self.init(type: "application/json", Array(try json.line().utf8))
  }
}
