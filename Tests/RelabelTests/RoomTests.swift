import Relabel
import Testing

/// Which source file may import which module that is not of this house.
///
/// The list is closed: a module that it doesn't name, such as Foundation, which brings the C library with
/// it, is refused like a file that it doesn't name. An entry that no file needs any more is refused, too.
@Suite("The rooms of the house")
struct RoomTests {
  /// A module, or a function of one, and the files and folders that may import it.
  private static let rooms: [String: [String]] = [
    "Glibc": [
      "RelabelSystem/",
      // Spawns and limits processes.
      "HelperProcesses/",
      // Wraps a C library: its lock has to be re-entrant and to survive a fork.
      "HDF5/",
    ],
    // Arithmetic, inlined where it is used: as one function each, so that nothing else comes with it.
    "Glibc.exp": ["RelabelFormat/Numbers/Mathematics.swift"],
    "Glibc.expf": ["RelabelFormat/Numbers/Mathematics.swift"],
    "Glibc.log": ["RelabelFormat/Numbers/Mathematics.swift"],
    "Glibc.log10": ["RelabelFormat/Numbers/Mathematics.swift"],
    "Glibc.logf": ["RelabelFormat/Numbers/Mathematics.swift"],
    "Glibc.pow": ["RelabelFormat/Numbers/Mathematics.swift"],
    "Glibc.memcmp": ["RelabelFormat/Numbers/Memory.swift"],
    // C libraries; their modules may bring the C library with them.
    "CHDF5": ["HDF5/"],
    "CDeflate": ["Relabel/Storage/Deflate.swift"],
    "CArchive": ["AnnotatorOutputs/Containers/ArchiveReader.swift"],
    "Crypto": ["RelabelFormat/Documents/Digest.swift"],
    // What swift-crypto takes bytes as, and its Base64.
    "FoundationEssentials": [
      "RelabelFormat/Documents/Digest.swift", "RelabelPages/Base64.swift",
    ],
    "ArgumentParser": [
      "RelabelCommands/", "RelabelTool/", "RelabelPackTool/", "RelabelVerifyTool/",
    ],
    // Sockets and HTTP: one module speaks to the network, and only on this machine.
    "NIOCore": ["RelabelServer/"],
    "NIOHTTP1": ["RelabelServer/"],
    "NIOPosix": ["RelabelServer/"],
    "Synchronization": [""],
  ]

  @Test("Only RelabelSystem, HelperProcesses and HDF5 speak to the C library")
  func foreignModules() throws {
    let imports = try Self.imports()
    let house = Set(try Folder.names(Self.sources))
    for (file, module) in imports where !house.contains(module) || Self.rooms[module] != nil {
      #expect(
        Self.rooms[module]?.contains { file.hasPrefix($0) } == true,
        "Sources/\(file) imports \(module); what it needs belongs into a type of RelabelSystem"
      )
    }
    for (module, rooms) in Self.rooms {
      for room in rooms {
        #expect(
          imports.contains { $0.module == module && $0.file.hasPrefix(room) },
          "nothing in Sources/\(room) imports \(module) any more; take it from this test's list"
        )
      }
    }
  }

  @Test("RelabelFormat sees nothing of the house, so that it does no I/O")
  func groundFloor() throws {
    let house = Set(try Folder.names(Self.sources)).subtracting(Self.rooms.keys)
    for (file, module) in try Self.imports() where file.hasPrefix("RelabelFormat/") {
      #expect(!house.contains(module), "Sources/\(file) imports \(module)")
    }
  }

  private static let sources: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Sources"
  }()

  /// All imports of all source files, each file by its path in Sources.
  private static func imports() throws -> [(file: String, module: String)] {
    var found: [(file: String, module: String)] = []
    var folders = [""]
    while let folder = folders.popLast() {
      for name in try Folder.names("\(sources)/\(folder)") {
        let path = folder + name
        if Folder.exists("\(sources)/\(path)") {
          folders.append(path + "/")
        } else if name.hasSuffix(".swift") {
          let bytes = try Folder.contents("\(sources)/\(path)", limit: 1 << 20)
          let text = String(decoding: bytes, as: UTF8.self)
          for line in text.split(whereSeparator: { $0 == "\n" || $0 == ";" }) {
            if let module = module(importedBy: line) { found.append((path, module)) }
          }
        }
      }
    }
    return found
  }

  /// What a line imports: a module, or a declaration of one as `MODULE.NAME`.
  private static func module(importedBy line: Substring) -> String? {
    let kinds: Set<Substring> = [
      "func", "struct", "class", "enum", "protocol", "typealias", "let", "var",
    ]
    let words = line.split(whereSeparator: \.isWhitespace)
    guard let place = words.firstIndex(of: "import"),
      words[..<place].allSatisfy({ $0.hasPrefix("@") || Self.accessLevels.contains($0) }),
      let name = words[(place + 1)...].first(where: { !kinds.contains($0) })
    else { return nil }
    return String(name)
  }

  private static let accessLevels: Set<Substring> = [
    "public", "package", "internal", "fileprivate", "private",
  ]
}
