//! How each runtime is asked, and what makes it believe.
//!
//! `NAME` stands for the name that only the enforcer answers for; whoever gets an answer from there has verified its certificate.

/// One way to ask.
pub(super) struct Runtime {
    /// What people call it.
    pub name: &'static str,
    /// The file on the search path.
    pub program: &'static str,
    pub arguments: &'static [&'static str],
    /// What it reads.
    pub input: Option<&'static str>,
    /// What it says when it believes, beside ending well.
    pub success: &'static str,
    /// What it says when it is not there after all.
    pub absent: &'static [&'static str],
    /// What it says when it cannot be asked at all.
    pub unable: &'static [&'static str],
    /// What an operator can do about it.
    pub advice: &'static str,
}

const BUNDLE: &str = "it reads the system's bundle; `enforcer trust list` says whether that is covered. Restart what runs already";
const NO_SUCH: &str = "No module named";

pub(super) const CATALOGUE: &[Runtime] = &[
    Runtime {
        name: "curl",
        program: "curl",
        arguments: &[
            "--silent",
            "--show-error",
            "--max-time",
            "15",
            "https://NAME/",
        ],
        input: None,
        success: "trusted",
        absent: &[],
        unable: &["Could not resolve host", "not supported or disabled"],
        advice: BUNDLE,
    },
    Runtime {
        name: "wget",
        program: "wget",
        arguments: &["-q", "-T", "15", "-O", "-", "https://NAME/"],
        input: None,
        success: "trusted",
        absent: &[],
        // BusyBox has one that verifies nothing, or needs another program to.
        unable: &[
            "note: TLS certificate validation not implemented",
            "not an http or ftp url",
        ],
        advice: BUNDLE,
    },
    Runtime {
        name: "OpenSSL",
        program: "openssl",
        arguments: &[
            "s_client",
            "-connect",
            "NAME:443",
            "-servername",
            "NAME",
            "-verify_return_error",
            "-verify_hostname",
            "NAME",
        ],
        input: Some("GET / HTTP/1.0\r\n\r\n"),
        success: "Verify return code: 0 (ok)",
        absent: &[],
        unable: &["Name or service not known"],
        advice: BUNDLE,
    },
    Runtime {
        name: "Python ssl",
        program: "python3",
        arguments: &[
            "-c",
            "import urllib.request as u; print(u.urlopen('https://NAME/', timeout=15).read().decode())",
        ],
        input: None,
        success: "trusted",
        absent: &["No module named 'ssl'", "unknown url type: https"],
        unable: &["Name or service not known"],
        advice: BUNDLE,
    },
    Runtime {
        name: "Python requests (certifi)",
        program: "python3",
        arguments: &[
            "-c",
            "import requests; print(requests.get('https://NAME/', timeout=15).text)",
        ],
        input: None,
        success: "trusted",
        absent: &[NO_SUCH],
        unable: &[],
        advice: "it reads the bundle of certifi; one that was installed after the container came under enforcement is covered with its next start",
    },
    Runtime {
        name: "Python httpx (certifi)",
        program: "python3",
        arguments: &[
            "-c",
            "import httpx; print(httpx.get('https://NAME/', timeout=15).text)",
        ],
        input: None,
        success: "trusted",
        absent: &[NO_SUCH],
        unable: &[],
        advice: "it reads the bundle of certifi, once for each client; restart what runs already",
    },
    Runtime {
        name: "Node",
        program: "node",
        arguments: &[
            "-e",
            "require('https').get('https://NAME/', r => r.pipe(process.stdout)).on('error', e => { console.error(e.code + ': ' + e.message); process.exit(1) })",
        ],
        input: None,
        success: "trusted",
        absent: &[],
        unable: &["ENOTFOUND"],
        advice: "its roots are compiled in: start the container by the enforcer's runtime, or set NODE_EXTRA_CA_CERTS (`enforcer trust env`)",
    },
    Runtime {
        name: "Deno",
        program: "deno",
        arguments: &[
            "eval",
            "console.log(await (await fetch('https://NAME/')).text())",
        ],
        input: None,
        success: "trusted",
        absent: &[],
        unable: &["dns error"],
        advice: "its roots are compiled in: start the container by the enforcer's runtime, or set DENO_CERT or DENO_TLS_CA_STORE=system",
    },
    Runtime {
        name: "Bun",
        program: "bun",
        arguments: &[
            "-e",
            "console.log(await (await fetch('https://NAME/')).text())",
        ],
        input: None,
        success: "trusted",
        absent: &[],
        unable: &[],
        advice: "its roots are compiled in: start the container by the enforcer's runtime, or set NODE_EXTRA_CA_CERTS",
    },
    Runtime {
        name: "Java",
        program: "jshell",
        arguments: &["--execution", "local", "-s", "-"],
        input: Some(
            "System.out.println(new String(new java.net.URL(\"https://NAME/\").openStream().readAllBytes()));\n/exit\n",
        ),
        success: "trusted",
        absent: &[],
        unable: &["UnknownHostException"],
        advice: "it reads its `cacerts` when it starts; `enforcer trust list` says whether that is covered",
    },
    Runtime {
        name: "Java",
        program: "java",
        arguments: &["-version"],
        input: None,
        success: "enforcer",
        absent: &[],
        unable: &["version"],
        advice: "without `jshell` it cannot be asked; `enforcer trust list` says whether its `cacerts` are covered",
    },
    Runtime {
        name: "Ruby",
        program: "ruby",
        arguments: &[
            "-rnet/http",
            "-e",
            "puts Net::HTTP.get(URI('https://NAME/'))",
        ],
        input: None,
        success: "trusted",
        absent: &["cannot load such file"],
        unable: &[],
        advice: BUNDLE,
    },
    Runtime {
        name: "PHP",
        program: "php",
        arguments: &["-r", "echo file_get_contents('https://NAME/');"],
        input: None,
        success: "trusted",
        absent: &["Unable to find the wrapper"],
        unable: &[],
        advice: BUNDLE,
    },
    Runtime {
        name: "Go",
        program: "go",
        arguments: &["version"],
        input: None,
        success: "enforcer",
        absent: &[],
        unable: &["go version"],
        advice: "programs built by it read the system's bundle when they start; only they themselves can be asked",
    },
];
