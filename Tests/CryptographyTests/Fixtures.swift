import Bytes
import Cryptography

/// Keys and certificates that other programs made; none of them guards anything.
enum Fixtures {
    static let beginning = UnixTime(seconds: 1_790_000_000)
    static let end = UnixTime(seconds: 1_790_086_400)

    /// `openssl ecparam -name prime256v1 -genkey`: two blocks, the key in the second.
    static let sec1Key = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIEICsWe/b+fbqwAwiPq+PBh14TTurmnbs7bDsJQ0IKaHoAoGCCqGSM49
        AwEHoUQDQgAEFx3vdGdh45v3Jc2ZX0gQI0oW20IuYc/47jumWUYFLi2EXBDZN68x
        BQ5j6tfV7kSkjT0grMo4Qfe0KUbrmN+jtw==
        -----END EC PRIVATE KEY-----
        """

    /// `openssl genrsa -traditional 2048`.
    static let pkcs1Key = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEowIBAAKCAQEAuJoewlu/bhNzKSUbVM388UP1XlXt7d2lc6U/VMjS3S9nNHD8
        5qXeGqPSzD24dUeL0U1eUJ89/fCWZhV4S+a7DbstCaVU0uZ6EUSc0O/NPxI9XILh
        ycyO0opvFnbzHQSib1adeSGKgH6br9J4Ml5b4BJVdZdBJYhQhRSQ0INRkiq2FN4r
        fulUnU0jDjkWuicJvrSk0lBqrTdRpaeMtkuj4cqd9ZhqwAj5gAp0jZo6n12LtdND
        FNY7wPfPrE73TzGii9ZV9D0UiMKN1ygNwb7CTVpIIV8QO4wqWnzIArDiU+AUliFB
        gJAuk3X8tdq9ryMtCaZzCt7GhZiMGQhqS+fNRQIDAQABAoIBACcV2rVkH5/61kM7
        7BGEm62pqeYTY5EdgM5/im01KBBU3REpayKas/AIB7Xey5NpVp02OGXxkXqW2gE7
        QoEvlSNPIjYMn20YB3hogptqapaUEhHoVE4Z1ZOWY/bpsIfQV2QjfqwLAfw60lPj
        yDdB60oCF74SDGUZ+5JxzEeZxkegDtdYNxr8P1j86wrVQvh0DcX9AaOzr3lIFDPI
        /FiDcGtPnTKanlz8/z0vyPTJX4WegKD1vwa8f0Yt4eEPcQIvk7Z3/B6BOLQ8b3bT
        Ta7KVwMCeFPZ/Lk4i5RIWALWNzl0S0Le8oQNmLVr/GcsxTgcZHe49rn0MRA5pxyd
        pcF+SHECgYEA8sBJdpLdGOgmNwALl331hMdZwdY4GSWykRjQufz/sXBgIv8no0Xd
        ATnsqu18vWNShYTjxeAvTEdNyHEIa1R1oVi6W2U+Vy2iQNGyer5Ax3bxCD+4RoK1
        XOcBEc9Uxx9jg2wPGqmrjP7uNDcPHt5FrlDVip8Y+JkHzX/3lsd6/L8CgYEAwq1g
        HlF0woLRZDNdlDxJBPcn+VT+zNNQ2IlZSvwDPYRhiqPwgMmWrOMsXBnWH09qCFdW
        87bDmu3MapTELx0J+PhyWMAxTgtB4kBfIXncetl7tfyeSnANZa2QABYFgUWK3tBL
        K7p6uBsyOCoz9hnR+Npd9irHJp6o9kW8SRdHgvsCgYA08CIVLanxyI6s5+GfQ+TK
        8/5q+yB4u3PZmKPMK5RHSc5tU199h7rOjadDD09orcRNQdG6UU1/QP2BfMTtQxnz
        +bmKPOX/dQAxSom1os/Vr+aYeezh05dhjy74h1JhqkK1YldY5S94LBAeavNtM+PW
        Q+KNvGxhql29Pu7rfs0fWQKBgQCyRjDCMtfYlBGKT9t/NuGrUWZi1mnrSgw77zM9
        DqEtAYCNhGlmlrSLqBFkWiiSTZgNAWZYEmL4CpHqfEdX2aDbRTD5gy7jiD2SIl67
        eivkuCqo0ihmhExQc2tuGLx70CJGvrpH1iIxXH5Vnpgs4yI8YEQxfKUZAaw6skul
        J1NOZwKBgDpr+2pbb+v6GLUVoGuYQ/j14McD+NBLMjUy3L3EJI9sj6T67jvnoW/3
        apUDtq4yp24lnt7Y/dcZTbbqCxHjybPZmOStkO/gt9xP6pH4r44KUAgkP+bRh6S5
        CswiXTF4o1VJBmSJwA4q6urutiFfjLVc23ylzobwBEz06Qv93Be+
        -----END RSA PRIVATE KEY-----
        """

    /// `openssl genpkey -algorithm EC`, P-256.
    static let pkcs8Key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmN1Bn/Sj4/j9eePX
        2DWoqlEn6rR1P6h/L8IsnJBrpYahRANCAARM8pDuezTckvKOH2Q/UDb9N/L2B+gD
        JSW2a/kMRHbSJ3EXxtdDxLX8H1/Sh/PRPTfPPxltTn8hwNM1j3rvoOXP
        -----END PRIVATE KEY-----
        """

    /// `openssl genpkey -algorithm ed25519`.
    static let ed25519Key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIMNj53zsu3p2ZI1fCK7E24tJCkkGsVXWdWlg2n2OrKlB
        -----END PRIVATE KEY-----
        """

    /// ``pkcs8Key`` under the passphrase `secret`.
    static let encryptedPKCS8Key = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgLRrfXoKD1TQICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPYJv3fz0+e1gYdynfaXpjwEgZB/
        2yY4d92vqnJWBJXttUYUgoeOh5/vh2Sr3L9aWAFzG8pTYny7iYzHzyx+ey34f35M
        jKvjf20Et4SjRrfaNEMJ2+Jynn36fPCNJdfBbT/Y/K4ljIMXesDmJhqOa4Dvvj44
        J98q0pxN2nC5Iai8puMmZciwqw0F28c2vsKJEs7iuaBgFqw1jSu6yiHk7Hy26lg=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// ``pkcs8Key`` under the passphrase `secret`, in the older way.
    static let encryptedSEC1Key = """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-128-CBC,A5483D82165B210D7775B02C42F0B7E2

        ZvOooa2Tlr3cDC63Zk1Sv6zzkBvbKDLM9Bwyc/3DMCGG7MpykJstOYmuUL7WZCgh
        GiBykLC3nXCqBsLpUuHpurszDVRhrF1oQPYDzudZDasK9ky96wGM3C5BM8UhSTJV
        G2ziLyMWDmcQeC8OoW023TRs3bebN9fupb2PUXslzOo=
        -----END EC PRIVATE KEY-----
        """

    /// The private half of ``pkcs8Key`` with the public half of another key.
    static let mismatchedKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmN1Bn/Sj4/j9eePX
        2DWoqlEn6rR1P6h/L8IsnJBrpYahRANCAARbUiSH5WFAbbxfpJKujgyRfDqF90Im
        b/XtDuUBo/IhkUtN5D7hgEJGBppDjw7fNlC9w0vqjH76y2o4XYX0++B+
        -----END PRIVATE KEY-----
        """

    /// `openssl genrsa 1024`.
    static let shortRSAKey = """
        -----BEGIN PRIVATE KEY-----
        MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAKbaPZXEsvA9Zr2E
        dMx7QZZiUJlazDAGY3GYRCg2TGKB0l4D8xHzgk8FbVs5XG7zed4+LQWp6FCC8Bf3
        EZf/XI72/g3B8IXEJMsawKJWi0jVibGaoXERBwzsyPM4F7lM4WxOWXpDzY18eVDF
        aUxzq+TB3IkPMBD8R3Ddw3bTbyqDAgMBAAECgYBQIMSslQ7d4o7heqfgv1yLDOHq
        E7m1YowFNHue2Bysve256qmjuE6fBlszEQP74H9pJHDYpHUFnSwSRjuzxBW9Z667
        Dvb1wF8EQLXdojrRSxOsIx8OOceS3GKvRjmZV897Ltgn2VuqlybsnVSwvBLGHgIO
        ID6FNvCMFp/lt7gByQJBANueqtZ6j0CgdAhAjeGu5fAx4okSWY/L1lLCG5UgnnEF
        A1Zp67vdlMcny4FAy8z1sYXQWxgn+3fvqPdYj3E1Hp8CQQDCfeQOky6zTksFHGET
        3BsCQm5bhw+PLK5LDLnXtwmJzptU0I14K2o2AnwdDDQ35hEhcrkmmhGNTvai6fxp
        wL2dAkEAkn7wbkkqrW1aePa2rchA0Uw1VEHNREIwINwiEgPELJevdkEJYjOYPpCp
        Cvrx9zIczKoDWcWx1HslNnj4lgdc+QJBAIzEpW3PJXvt7Op0EedX5cyK3GkuphpQ
        ko4LVe9FsYemnFKU5+/ULHmO7tnvXVQgFsII0O2ZkZ6fSm+7v0+jixkCQDzCRMw2
        CPqoNb6TQiN62EXvMetcsKv51HYMvV0HnGlzbttZbaeftia9dnhg7LriJjQ3Grey
        zuYqWmcbVday3KI=
        -----END PRIVATE KEY-----
        """

    /// `openssl genpkey -algorithm EC`, on a curve that JOSE has but this room has not.
    static let secp256k1Key = """
        -----BEGIN PRIVATE KEY-----
        MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgApr/SucC8V4CdEv5q+Yu
        PpJIKieM769/rplK97s3wOShRANCAAS4moewZdTZ5wI8pTC+wxUHuCR2A+z/aPf/
        DiJagcWAFH1y54/P/9H2Y61IC/RdLJKWq9l5/9BS8Ao9NOgc0w+P
        -----END PRIVATE KEY-----
        """

    /// `openssl genpkey -algorithm x25519`: it cannot sign.
    static let x25519Key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VuBCIEIBh+IyP9kzlXNm5fOyzezMJ7bwxorM/yTAvsdPDpwwZ8
        -----END PRIVATE KEY-----
        """

    /// Python cryptography: names of every kind, valid from 1950 to 9999, usages not critical, a non-ASCII subject.
    static let crowdedCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBqTCCAVugAwIBAgICGiswBQYDK2VwMBExDzANBgNVBAMMBklzc3VlcjAgFw01
        MDAxMDEwMDAwMDBaGA85OTk5MTIzMTIzNTk1OVowNzELMAkGA1UEBhMCREUxGDAW
        BgNVBAoMD03DvGxsZXIsIFPDtmhuZTEOMAwGA1UEAwwFYWdlbnQwKjAFBgMrZXAD
        IQD2fQNihGHT+p5uCKgdZreDsdtyQzk7BdfpxisngpIIyKOBrjCBqzB7BgNVHREB
        Af8EcTBvpA4wDDEKMAgGA1UEAwwBeKAiBgMqAwSgGwwZc3BpZmZlOi8vZXhhbXBs
        ZS5vcmcvZXZpbIgCKgOCDnNwaWZmZS5leGFtcGxlhhZzcGlmZmU6Ly9leGFtcGxl
        Lm9yZy9hgQ1hQGV4YW1wbGUub3JnMAwGA1UdDwQFAwMHyIAwHgYDVR0lBBcwFQYI
        KwYBBQUHAwIGCSsGAQQBho0fATAFBgMrZXADQQCrTe5FyVJeukX2DGmpv80tK30T
        S597izYFU6L5Wb5+S2n+tTPE2BjydXFPXeRtZNR5kBjVSmyPcXdjfFJedwQC
        -----END CERTIFICATE-----
        """

    /// Python cryptography: no extensions at all.
    static let plainCertificate = """
        -----BEGIN CERTIFICATE-----
        MIHOMIGBoAMCAQICAhorMAUGAytlcDARMQ8wDQYDVQQDDAZJc3N1ZXIwHhcNMjYw
        MTAxMDAwMDAwWhcNMjcwMTAxMDAwMDAwWjAQMQ4wDAYDVQQDDAVwbGFpbjAqMAUG
        AytlcAMhAPZ9A2KEYdP6nm4IqB1mt4Ox23JDOTsF1+nGKyeCkgjIMAUGAytlcANB
        AM2C/5YffERXivpJan+jZlkxZhw4lvifvV2/9BAPSDNkcz6ANvqb/SglzPl1WA7N
        IIrdshTBHp2ARkPD/K7/4g0=
        -----END CERTIFICATE-----
        """
}

/// Reads hexadecimal digits of a test's own text.
func hex(_ text: String) -> [UInt8] {
    Hexadecimal.decode(text.utf8.span) ?? []
}

/// Reads base64url of a test's own text.
func base64URL(_ text: String) -> [UInt8] {
    Base64URL.decode(text.utf8.span) ?? []
}

extension [UInt8] {
    /// The bytes with every `old` replaced by `new`, which is as long.
    func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
        precondition(old.count == new.count)
        var result = self
        for start in 0...(count - old.count) where Array(self[start..<start + old.count]) == old {
            result.replaceSubrange(start..<start + old.count, with: new)
        }
        return result
    }
}
