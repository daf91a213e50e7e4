/// Revocation lists that other programs made, each with the authority that signed it; none of them guards anything.
struct PublishedList: Sendable {
    /// How it was made.
    let name: String
    /// The authority's certificate, in PEM.
    let authority: String
    /// The list, in PEM.
    let list: String
    /// What it lists, as certificates' facts have it.
    let serialNumbers: [String]
    /// Its number.
    let number: [UInt8]?
}

extension PublishedList {
    /// All of them.
    static let all = [rsa, p256, p384, ed25519]

    /// `openssl ca -gencrl`, RSA of 2048 bits with SHA-256.
    static let rsa = PublishedList(
        name: "rsa",
        authority: """
            -----BEGIN CERTIFICATE-----
            MIIDOzCCAiOgAwIBAgIUFrC7OCNn2bhieDciKMvRTHLuwr0wDQYJKoZIhvcNAQEL
            BQAwLTELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxDDAKBgNVBAMMA3Jz
            YTAeFw0yNjExMjExMTE5MDRaFw0zNjExMTgxMTE5MDRaMC0xCzAJBgNVBAYTAkRF
            MRAwDgYDVQQKDAdFeGFtcGxlMQwwCgYDVQQDDANyc2EwggEiMA0GCSqGSIb3DQEB
            AQUAA4IBDwAwggEKAoIBAQCmyYu2zCDlpFV3CZar5eR0MEOXavCVW6oG8wLuL8Lp
            i+rh7RK+/Z9W6ep/UZ29jvUyBbZgt2AMEJV+rNIv1jdH6bnEVBttQybLUIiodKyw
            vY8QQA8hGDMrxkezTJfVFpIRkcR33EYygIhC2b3dHuh2Z6boHRUtQpJ6L5F7iv79
            UFGPLUvlpabxk2vhWLAGnKpmMfwYVQPGVzmlhj4/Kf8TOb9MNMtPhGWXnr1M7zxp
            kb9rdq23m02w4XzmzglrwVvAVaH2GSqSupXx6m2THlUco7y5aeEZGGagcXmMNgQx
            MVl/54O2Ka01ZE5hWuDdmOAJ8OERIdfi9GfvJKw6555vAgMBAAGjUzBRMB0GA1Ud
            DgQWBBR8NsRh3Pp20/qUbST81Sy09coZ1DAfBgNVHSMEGDAWgBR8NsRh3Pp20/qU
            bST81Sy09coZ1DAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQAW
            XNZ/N3wDbYh1xKQf2cpZD2ridbiCV18pIF/gROHLmemgnCtoftFOjRD7KnLZ/GVJ
            fxjNsqHdjk0GQ3r4JIv1H3MfftEkAmrfzf8cGtyaadFEu+Tn06yr4I0Oz9AL6KlE
            RSpywOUf0jR/6bsJaBW42iMs4zne4gALwcSgW20Oe6Nsr6wN4023T969zdxTETHs
            aDo8aKgUacrgNjJwj/bErL4mpzoFRXtw8meYj0HLE3jFbpFZ3e2ZnUCvuAHPp0/E
            H6exA3UqtBlada26xLL9uM7ZUJI1siBr+mXlnztRKMtoKUwSaqjtCxHjSJtttrW3
            SvXO53nHCAjkTExlaPYX
            -----END CERTIFICATE-----
            """,
        list: """
            -----BEGIN X509 CRL-----
            MIIB4zCBzAIBATANBgkqhkiG9w0BAQsFADAtMQswCQYDVQQGEwJERTEQMA4GA1UE
            CgwHRXhhbXBsZTEMMAoGA1UEAwwDcnNhFw0yNjExMjExMTE5MDRaFw0zNjExMTgx
            MTE5MDRaMDowEwICAPEXDTI2MTEwMjAwMDAwMFowIwIEAKvN7xcNMjYxMTAyMDAw
            MDAwWjAMMAoGA1UdFQQDCgEBoC8wLTAfBgNVHSMEGDAWgBR8NsRh3Pp20/qUbST8
            1Sy09coZ1DAKBgNVHRQEAwIBCjANBgkqhkiG9w0BAQsFAAOCAQEAnjuiYEaCAUSu
            xkCYXP8K8lE836An1rljH68idZuKaVu9sDTyMzvvIQ0bB0Wf1nb0yOsP6UcULah4
            6h/gqR+KDSefW6xIAEPhpvfLBB6zdZZC2f3+NU9k9/K5OdZUI1y24zJYrbtLV/8m
            wzvph7InCBNRqFloaWcvXeXMUJRqpOFpQkZi14jpVNwiT/DBhTNes92w+FxTAePR
            OAoyW+DsNMRdJCajOOTIGo0LhHUQThGUMQONrMG6dRwz4/sZKxpWukp2a5RsBH26
            28MbumhigC2ID3m9u3Ldhr4D9/8Yfs8vCqKOWk9oilN9pNe+38838ieScC3yXO6Y
            bwqRN0mCHA==
            -----END X509 CRL-----
            """,
        serialNumbers: ["abcdef", "f1"], number: [10])

    /// `openssl ca -gencrl` without extensions, P-256 with SHA-256.
    static let p256 = PublishedList(
        name: "p256",
        authority: """
            -----BEGIN CERTIFICATE-----
            MIIBsTCCAVegAwIBAgIUe9xk89d+AOus3jwEyU97fGr9xuswCgYIKoZIzj0EAwIw
            LjELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxDTALBgNVBAMMBHAyNTYw
            HhcNMjYxMTIxMTExOTA0WhcNMzYxMTE4MTExOTA0WjAuMQswCQYDVQQGEwJERTEQ
            MA4GA1UECgwHRXhhbXBsZTENMAsGA1UEAwwEcDI1NjBZMBMGByqGSM49AgEGCCqG
            SM49AwEHA0IABJ9XLng5F3ZBUp3q/bVE/bmvV+7bmlFA7fBDwzu/QPoPf9txelkD
            zzYGpaBEIldGjAmFsII5s9UM96WaLT6KFG2jUzBRMB0GA1UdDgQWBBQ4ejppV99+
            2SiJNjfmoz48eQtyQzAfBgNVHSMEGDAWgBQ4ejppV99+2SiJNjfmoz48eQtyQzAP
            BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCEgM4VJz9ohMn8TN1p
            +yAYHjVnmwbFZsyl0vFQpy3g9gIgE2vE2QnCKGIZCwjzq/O28Oxj19sxLXc0YyPY
            r2rCNc8=
            -----END CERTIFICATE-----
            """,
        list: """
            -----BEGIN X509 CRL-----
            MIHxMIGZAgEBMAoGCCqGSM49BAMCMC4xCzAJBgNVBAYTAkRFMRAwDgYDVQQKDAdF
            eGFtcGxlMQ0wCwYDVQQDDARwMjU2Fw0yNjExMjExMTE5MDRaFw0zNjExMTgxMTE5
            MDRaMDowEwICAPEXDTI2MTEwMjAwMDAwMFowIwIEAKvN7xcNMjYxMTAyMDAwMDAw
            WjAMMAoGA1UdFQQDCgEBMAoGCCqGSM49BAMCA0cAMEQCIG4kHk9rCs6o3V7fFuJs
            bTBM8/bEsy4DOsdGudfeYmdcAiAViF3JUpdgVaabUHO+QuyU5VXGxU08hT91Gquy
            AcEJCQ==
            -----END X509 CRL-----
            """,
        serialNumbers: ["abcdef", "f1"], number: nil)

    /// Python's cryptography, P-384 with SHA-256.
    static let p384 = PublishedList(
        name: "p384",
        authority: """
            -----BEGIN CERTIFICATE-----
            MIIByzCCAVKgAwIBAgIBATAKBggqhkjOPQQDAjA3MQ0wCwYDVQQDDARwMzg0MRkw
            FwYDVQQKDBBCw7xjaGVyICYgU8O2aG5lMQswCQYDVQQGEwJERTAeFw0yNjExMDEw
            MDAwMDBaFw0zNjExMDEwMDAwMDBaMDcxDTALBgNVBAMMBHAzODQxGTAXBgNVBAoM
            EELDvGNoZXIgJiBTw7ZobmUxCzAJBgNVBAYTAkRFMHYwEAYHKoZIzj0CAQYFK4EE
            ACIDYgAEacvjfkQkbFfgGDkNML2VJkkYLzUnZzuyZUmCmzfRuFKhdKuXnQa4iNGI
            kc5T/E/Kcy7uRgIeWgLHPJ6zvggzEm/rmjT/vk56RUSHSL0mTAoDBeJRaF80IU/T
            TdSX24wqozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBSsed2w9oXsHsW/
            ImU56PA9R3ceFzAKBggqhkjOPQQDAgNnADBkAjBsH8SzjG9s3GQT23B5G0yDHIcn
            OIOSfk0SipUDL6p75mq0foxxNy9UY25VOO/AXjQCMF6Q4WcS5Q+cwgP4phAz1XpB
            FGHTIbFsGr653EUS4ZhTlBAC6l25qR+Jexmj9JUq/g==
            -----END CERTIFICATE-----
            """,
        list: """
            -----BEGIN X509 CRL-----
            MIICIDCCAacCAQEwCgYIKoZIzj0EAwIwNzENMAsGA1UEAwwEcDM4NDEZMBcGA1UE
            CgwQQsO8Y2hlciAmIFPDtmhuZTELMAkGA1UEBhMCREUXDTI2MTEwMTAwMDAwMFoX
            DTM2MTEwMTAwMDAwMFowggELMDoCAQEXDTI2MTEwMTAwMDAwMFowJjAKBgNVHRUE
            AwoBATAYBgNVHRgEERgPMjAyNjExMDEwMDAwMDBaMDsCAgCAFw0yNjExMDEwMDAw
            MDBaMCYwCgYDVR0VBAMKAQEwGAYDVR0YBBEYDzIwMjYxMTAxMDAwMDAwWjBNAhR/
            /////////////////////////xcNMjYxMTAxMDAwMDAwWjAmMAoGA1UdFQQDCgEB
            MBgGA1UdGAQRGA8yMDI2MTEwMTAwMDAwMFowQQIIASNFZ4mrze8XDTI2MTEwMTAw
            MDAwMFowJjAKBgNVHRUEAwoBATAYBgNVHRgEERgPMjAyNjExMDEwMDAwMDBaoDAw
            LjALBgNVHRQEBAICAQIwHwYDVR0jBBgwFoAUrHndsPaF7B7FvyJlOejwPUd3Hhcw
            CgYIKoZIzj0EAwIDZwAwZAIwY1BIvptOaQ+3fyuIyCWVCBIFh04Xp2YB9+XImcGb
            1Hj1ZjNJvbGbUXPRGWWPv5FbAjBGejw0EAkQSD+kSX5kjy3JXdkTbqPGLgG/lGMw
            5SWIZdBwc2Fw4N//RYqlDSvl++M=
            -----END X509 CRL-----
            """,
        serialNumbers: ["01", "80", "7fffffffffffffffffffffffffffffffffffffff", "0123456789abcdef"], number: [1, 2])

    /// Python's cryptography, Ed25519.
    static let ed25519 = PublishedList(
        name: "ed25519",
        authority: """
            -----BEGIN CERTIFICATE-----
            MIIBVTCCAQegAwIBAgIBATAFBgMrZXAwOjEQMA4GA1UEAwwHZWQyNTUxOTEZMBcG
            A1UECgwQQsO8Y2hlciAmIFPDtmhuZTELMAkGA1UEBhMCREUwHhcNMjYxMTAxMDAw
            MDAwWhcNMzYxMTAxMDAwMDAwWjA6MRAwDgYDVQQDDAdlZDI1NTE5MRkwFwYDVQQK
            DBBCw7xjaGVyICYgU8O2aG5lMQswCQYDVQQGEwJERTAqMAUGAytlcAMhAMn64Dsu
            LnboL7T6vRKA77TYgQcQb0DgdR4AavjhT0jfozIwMDAPBgNVHRMBAf8EBTADAQH/
            MB0GA1UdDgQWBBSc2332YvvBEc/T++7zGNCptaN/xDAFBgMrZXADQQDCDIh6xw3G
            oxpw+CGq7ivdovcgDSfAtZA0Bnh/LPesmxsCiHn9RSM0ggLyW1YF7b6WReYWeJGZ
            LkYluQLQyloK
            -----END CERTIFICATE-----
            """,
        list: """
            -----BEGIN X509 CRL-----
            MIIB8zCCAaUCAQEwBQYDK2VwMDoxEDAOBgNVBAMMB2VkMjU1MTkxGTAXBgNVBAoM
            EELDvGNoZXIgJiBTw7ZobmUxCzAJBgNVBAYTAkRFFw0yNjExMDEwMDAwMDBaFw0z
            NjExMDEwMDAwMDBaMIIBCzA6AgEBFw0yNjExMDEwMDAwMDBaMCYwCgYDVR0VBAMK
            AQEwGAYDVR0YBBEYDzIwMjYxMTAxMDAwMDAwWjA7AgIAgBcNMjYxMTAxMDAwMDAw
            WjAmMAoGA1UdFQQDCgEBMBgGA1UdGAQRGA8yMDI2MTEwMTAwMDAwMFowTQIUf///
            //////////////////////8XDTI2MTEwMTAwMDAwMFowJjAKBgNVHRUEAwoBATAY
            BgNVHRgEERgPMjAyNjExMDEwMDAwMDBaMEECCAEjRWeJq83vFw0yNjExMDEwMDAw
            MDBaMCYwCgYDVR0VBAMKAQEwGAYDVR0YBBEYDzIwMjYxMTAxMDAwMDAwWqAwMC4w
            CwYDVR0UBAQCAgECMB8GA1UdIwQYMBaAFJzbffZi+8ERz9P77vMY0Km1o3/EMAUG
            AytlcANBAPJr+Xwjz2iVrwxpVI4IxG3lfBQ7mOFDdtSnPBMZXMJmDk/EEw8XJaHN
            nHnYsORm1tT/kdi4HR92zMa33F+LPgs=
            -----END X509 CRL-----
            """,
        serialNumbers: ["01", "80", "7fffffffffffffffffffffffffffffffffffffff", "0123456789abcdef"], number: [1, 2])
}
