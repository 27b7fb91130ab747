// The fastest engine for goods: OpenSSL's, and with it, where the build found intel-ipsec-mb and the
// processor gains by it, SHA-256 of several chunks side by side (docs/adr/0008).
//
// Invariants: the bytes are OpenSSL's; a manager works for one thread at a time; it sees ciphertext only.

internal import CCore
public import Messages

#if ACD_IPSEC_MB
  internal import CIPSecMB
  import Synchronization
#endif

extension GoodsEngine {
  /// The fastest that this build and this processor have.
  public static let fastest: GoodsEngine = {
    #if ACD_IPSEC_MB
      if let engine = MultiBufferHash.Way.allCases.lazy.compactMap(multiBuffer).first { return engine }
    #endif
    return .openSSL
  }()
}

#if ACD_IPSEC_MB
  extension GoodsEngine {
    /// OpenSSL's, but for messages in sufficient number; nil where the processor lacks what it takes.
    static func multiBuffer(_ way: MultiBufferHash.Way) -> GoodsEngine? {
      guard let hash = MultiBufferHash(way) else { return nil }
      return openSSL(
        hashing: acd_hash_engine(
          state: Unmanaged.passRetained(hash).toOpaque(),  // an engine lives as long as the process
          digest: { openSSLDigest($1, $2, $3) },
          digest_many: { state, out, messages, count in
            Unmanaged<MultiBufferHash>.fromOpaque(state!).takeUnretainedValue()
              .digest(UnsafeBufferPointer(start: messages, count: count), to: out!)
          }))
    }
  }

  /// SHA-256 of messages side by side.
  final class MultiBufferHash: Sendable {
    /// How, the fastest first. OpenSSL's SHA-256 is faster than lanes that are not full.
    enum Way: CaseIterable {
      /// Sixteen messages in the lanes of AVX-512: twice as fast as the SHA extensions on one.
      case avx512
      /// Two messages interleaved by the SHA extensions, whose latency one leaves unused.
      case shaExtensions
      /// Eight messages in the lanes of AVX2, for processors without the SHA extensions.
      case avx2

      var lanes: Int {
        switch self {
        case .avx512: 16
        case .shaExtensions: 2
        case .avx2: 8
        }
      }

      /// What the processor must have (IMB_CPUFLAGS_AVX512, _SSE_T2, _AVX2).
      fileprivate var features: UInt64 {
        let sse = UInt64(IMB_FEATURE_SSE4_2 | IMB_FEATURE_CMOV | IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ)
        let avx2 = sse | UInt64(IMB_FEATURE_AVX | IMB_FEATURE_AVX2 | IMB_FEATURE_BMI2)
        return switch self {
        case .avx512:
          avx2
            | UInt64(
              IMB_FEATURE_AVX512F | IMB_FEATURE_AVX512DQ | IMB_FEATURE_AVX512CD | IMB_FEATURE_AVX512BW
                | IMB_FEATURE_AVX512VL)
        case .shaExtensions: sse | UInt64(IMB_FEATURE_SHANI)
        case .avx2: avx2
        }
      }

      /// A manager that works this way; nil where the processor cannot.
      fileprivate func makeManager() -> Manager? {
        guard let manager = alloc_mb_mgr(self == .avx2 ? UInt64(IMB_FLAG_SHANI_OFF) : 0) else { return nil }
        if manager.pointee.features & features == features {
          switch self {
          case .avx512: init_mb_mgr_avx512(manager)
          case .shaExtensions: init_mb_mgr_sse(manager)
          case .avx2: init_mb_mgr_avx2(manager)
          }
          if imb_get_errno(manager) == 0 { return Manager(pointer: manager) }
        }
        free_mb_mgr(manager)
        return nil
      }
    }

    /// The library's state, 200 KB.
    fileprivate struct Manager: @unchecked Sendable {  // who takes it from the pool alone has it
      let pointer: UnsafeMutablePointer<IMB_MGR>
    }

    /// The library refuses messages above 65,534 bytes (its MB_MAX_LEN16); leaves have 16,401.
    static let messageMax = 1 << 15

    private let way: Way
    /// As many as threads ever hashed at once.
    private let idle: Mutex<[Manager]>

    init?(_ way: Way) {
      guard let manager = way.makeManager() else { return nil }
      self.way = way
      idle = Mutex([manager])
    }

    /// Writes SHA-256 of each message to `out`. Returns 0, or another value on failure.
    func digest(
      _ messages: UnsafeBufferPointer<acd_hash_part>, to out: UnsafeMutablePointer<UInt8>
    ) -> Int32 {
      let fits = messages.allSatisfy { $0.len <= Self.messageMax }
      let full = fits ? messages.count / way.lanes * way.lanes : 0
      var done = 0
      if full > 0, let manager = idle.withLock({ $0.popLast() }) ?? way.makeManager() {
        guard Self.hash(messages[..<full], with: manager.pointer, to: out) else {
          free_mb_mgr(manager.pointer)  // it may still hold jobs
          return -1
        }
        idle.withLock { $0.append(manager) }
        done = full
      }
      for index in done..<messages.count {
        let status = openSSLDigest(out + index * Hash.size, messages.baseAddress! + index, 1)
        guard status == 0 else { return status }
      }
      return 0
    }

    private static func hash(
      _ messages: Slice<UnsafeBufferPointer<acd_hash_part>>, with manager: UnsafeMutablePointer<IMB_MGR>,
      to out: UnsafeMutablePointer<UInt8>
    ) -> Bool {
      var done = 0
      func count(_ job: UnsafeMutablePointer<IMB_JOB>) {
        if job.pointee.status == IMB_STATUS_COMPLETED { done += 1 }
      }
      for (index, message) in messages.enumerated() {
        guard let job = manager.pointee.get_next_job(manager) else { return false }
        job.pointee.cipher_mode = IMB_CIPHER_NULL
        job.pointee.cipher_direction = IMB_DIR_ENCRYPT
        job.pointee.chain_order = IMB_ORDER_HASH_CIPHER
        job.pointee.hash_alg = IMB_AUTH_SHA_256
        job.pointee.src = message.bytes.assumingMemoryBound(to: UInt8.self)
        job.pointee.hash_start_src_offset_in_bytes = 0
        job.pointee.msg_len_to_hash_in_bytes = UInt64(message.len)
        job.pointee.auth_tag_output = out + index * Hash.size
        job.pointee.auth_tag_output_len_in_bytes = UInt64(Hash.size)
        if let finished = manager.pointee.submit_job(manager) { count(finished) }
      }
      while let finished = manager.pointee.flush_job(manager) { count(finished) }
      return done == messages.count
    }
  }
#endif
