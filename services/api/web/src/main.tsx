import { render } from "preact";
import { App } from "./app";
import { start } from "./live";
import { startNotifying } from "./notify";
import "./scheme";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/jobs.css";
import "./style/job.css";
import "./style/create.css";
import "./style/system.css";
import { startUploads } from "./uploads";

start();
startNotifying();
startUploads();
const place = document.getElementById("app");
if (place) render(<App />, place);
