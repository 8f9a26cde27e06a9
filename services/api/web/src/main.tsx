import { render } from "preact";
import { App } from "./app";
import { start } from "./live";
import "./scheme";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/parts.css";

start();
const place = document.getElementById("app");
if (place) render(<App />, place);
