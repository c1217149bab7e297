extension Theme {
    /// The theme that is there when no file is found: `Themes/ops-dark.theme`, compiled in (a test compares the two).
    public static let builtIn: Theme =
        (try? ThemeParser.parse(builtInText, path: "", base: nil))
        ?? Theme(name: "ops-dark", path: "", colours: [:], attributes: [:])

    static let builtInText = """
        # Gatehouse theme. slot = rgb, 256-colour index, 16-colour name, attributes without colour.
        # Any column may be left out; what is missing comes from ops-dark.
        name = ops-dark

        base.bg         = #101418 , 233 , black         , none
        base.raised     = #1a2026 , 234 , black         , none
        text            = #d6dde4 , 253 , white         , none
        text.dim        = #8b98a5 , 246 , white         , dim
        text.strong     = #ffffff , 231 , bright-white  , bold
        title           = #9fc1e0 , 146 , bright-cyan   , bold
        rule            = #3c4854 , 238 , bright-black  , none
        focus           = #6aa7dd ,  74 , bright-blue   , bold
        select.bg       = #264055 , 237 , blue          , reverse
        select.fg       = #ffffff , 231 , bright-white  , reverse
        key             = #e0b45c , 179 , bright-yellow , bold
        key.off         = #8b98a5 , 246 , white         , dim
        crumb           = #8b98a5 , 246 , white         , none
        match           = #e0b45c , 179 , bright-yellow , underline
        mark            = #e0b45c , 179 , bright-yellow , bold
        status.ok       = #7fbf7f , 108 , bright-green  , none
        status.warn     = #e5b04c , 179 , bright-yellow , bold
        status.bad      = #ff7b72 , 209 , bright-red    , bold reverse
        status.held     = #c99bf0 , 177 , bright-magenta, bold underline
        status.new      = #6aa7dd ,  74 , bright-blue   , bold
        status.unknown  = #8b98a5 , 246 , white         , dim
        graph.1         = #6aa7dd ,  74 , bright-blue   , none
        graph.2         = #e0b45c , 179 , yellow        , none
        graph.3         = #7fbf7f , 108 , green         , none
        graph.4         = #c99bf0 , 177 , magenta       , none
        graph.grid      = #3c4854 , 238 , bright-black  , dim
        banner.paused   = #e5b04c , 179 , bright-yellow , reverse
        banner.readonly = #c99bf0 , 177 , bright-magenta, reverse
        banner.prod     = #ff7b72 , 209 , bright-red    , bold reverse
        danger.bg       = #1a2026 , 234 , black         , none
        danger.fg       = #ff7b72 , 209 , bright-red    , bold
        secret          = #c99bf0 , 177 , bright-magenta, bold
        diff.add        = #7fbf7f , 108 , bright-green  , bold
        diff.del        = #ff7b72 , 209 , bright-red    , bold reverse
        """
}
